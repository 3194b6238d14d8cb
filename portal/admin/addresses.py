"""The office's addresses, once every list is known."""

from typing import Any, Final

from portal.admin import access, audit, ledger, products, tenancy, vault  # noqa: F401 - they register their lists
from portal.admin.site import site

__all__ = ["OFFICE", "site"]

OFFICE: Final[Any] = site.urls
