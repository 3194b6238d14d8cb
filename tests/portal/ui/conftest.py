"""What tests of pages share."""

from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from tenants.branding.queries import forget_brands
from tests.automations.inbox.conftest import bench, make_case
from tests.support.cast import Cast


@pytest.fixture(autouse=True)
def _plain_files(settings: object) -> Iterator[None]:
    """Static files by their plain names: nothing was collected here. What the process remembers of brands is dropped."""
    setattr(  # noqa: B010 - pytest-django's wrapper takes any name
        settings,
        "STORAGES",
        {
            "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        },
    )
    setattr(settings, "CACHES", {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}})  # noqa: B010
    forget_brands()
    yield
    cache.clear()
    forget_brands()


@pytest.fixture
def console(cast: Cast, client_for: Callable[..., Client]) -> Client:
    """The partner admin in the console."""
    return client_for(cast.partner_admin, cast.partner_host)


@pytest.fixture
def portal(cast: Cast, client_for: Callable[..., Client]) -> Client:
    """The client admin in Hollis."""
    return client_for(cast.owner, cast.host)


PART = {"HX-Request": "true", "HX-Request-Type": "partial"}
assert settings.LANGUAGES
__all__ = ["bench", "make_case"]
