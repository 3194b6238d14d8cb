"""What house tests share: pages without collected files, and furnished places."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.house.ground import Ground, furnish
from tests.portal.ui.conftest import _plain_files  # noqa: F401 - a fixture
from tests.support.databases import TestDatabase


@pytest.fixture(scope="module")
def ground(django_db_setup: TestDatabase, django_db_blocker: Any) -> Iterator[Ground]:
    """Three furnished clients of two partners, committed; thrown away after the last test of the module."""
    with django_db_blocker.unblock():
        found = furnish()
    yield found
    with django_db_blocker.unblock():
        django_db_setup.renew()
