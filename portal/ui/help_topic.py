"""What the help says of one page or family of pages."""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise

Words = str | Promise
PARTNER: Final = ("partner",)
TENANT: Final = ("tenant",)
BOTH: Final = ("partner", "tenant")
ALL: Final = ("platform", "partner", "tenant")


@dataclass(frozen=True, slots=True)
class Topic:
    """A page or a family of pages: which views of which rooms it is about, where it is, who may open it."""

    title: Words
    text: tuple[Words, ...]
    url: str
    rooms: tuple[str, ...]
    icon: str
    hosts: tuple[str, ...] = TENANT
    permission: str = ""
    views: tuple[str, ...] = ()
