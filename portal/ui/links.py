"""Addresses of pages that one page names of another, where that page exists and its subject is known."""

from django.urls import NoReverseMatch, reverse


def order_address(key: str) -> str:
    """The timeline of an order; empty where there is no order, or this portal has no such page."""
    return address("orders:timeline", key)


def run_address(public_id: str) -> str:
    """The page of a run; empty where there is none."""
    return address("runs:run", public_id)


def address(name: str, key: str) -> str:
    """The address called `name` of the object `key`; empty without a key or without such a page on this host."""
    if not key:
        return ""
    try:
        return reverse(name, args=[key])
    except NoReverseMatch:
        return ""
