"""Addresses of pages that one page names of another, where that page exists and its subject is known."""

from uuid import UUID

from django.urls import NoReverseMatch, reverse

from kernel.ids import public_id


def order_address(key: str) -> str:
    """The timeline of an order; empty where there is no order, or this portal has no such page."""
    return address("orders:timeline", key) if key else ""


def run_address(public_id: str) -> str:
    """The page of a run; empty where there is none."""
    return address("runs:run", public_id) if public_id else ""


def event_address(key: UUID | None) -> str:
    """The page of an event; empty where there is none."""
    return address("events:event", public_id("evt", key)) if key else ""


def address(name: str, *keys: str) -> str:
    """The address called `name`; empty where this host has no such page."""
    try:
        return reverse(name, args=keys)
    except NoReverseMatch:
        return ""
