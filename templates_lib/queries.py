"""Reads of the library: what can be installed, what is, and what a blueprint holds."""

from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from templates_lib.models import Installation, TemplateVersion

BLUEPRINTS: Final[dict[str, tuple[str | Promise, tuple[str, ...]]]] = {
    "order-watch": (_("Watch orders from placing to delivery"), ("order-watch",)),
}
"""What a new client can start with: title, and templates that need no connection."""


def library(partner_id: UUID | None = None) -> "QuerySet[TemplateVersion]":
    """The newest version of each template that a partner may install: everybody's and its own."""
    return (
        visible(partner_id)
        .filter(recalled_at__isnull=True)
        .order_by("slug", "-published_at")
        .distinct("slug")
    )


def visible(partner_id: UUID | None = None) -> "QuerySet[TemplateVersion]":
    """Every version that a partner may see."""
    mine = (
        Q(partner__isnull=True) if partner_id is None else Q(partner__isnull=True) | Q(partner_id=partner_id)
    )
    return TemplateVersion.objects.filter(mine)


def versions_of(slug: str, partner_id: UUID | None = None) -> "QuerySet[TemplateVersion]":
    """The versions of one template, newest first."""
    return visible(partner_id).filter(slug=slug).order_by("-published_at")


def installations_of(tenant_id: UUID) -> "QuerySet[Installation]":
    """What is installed in one tenant."""
    return Installation.objects.filter(tenant_id=tenant_id).select_related("version")


def installation_of(tenant_id: UUID, key: UUID) -> Installation | None:
    """One installation of a tenant; None where it is another's, or nobody's."""
    return installations_of(tenant_id).filter(pk=key).first()


def newer_than(installation: Installation, partner_id: UUID) -> TemplateVersion | None:
    """The newest version of the template, if it is newer than the one that works."""
    rows = versions_of(installation.slug, partner_id).filter(recalled_at__isnull=True)
    return rows.filter(published_at__gt=installation.version.published_at).first()


def installations_at(partner_id: UUID) -> "QuerySet[Installation]":
    """What is installed in any client of a partner, by client."""
    rows = Installation.objects.filter(tenant__partner_id=partner_id)
    return rows.select_related("version", "tenant").order_by("tenant__name", "slug")


def installs(partner_id: UUID) -> dict[str, int]:
    """In how many of a partner's tenants each template works: slug to number."""
    rows = (
        Installation.objects.filter(tenant__partner_id=partner_id).values_list("slug").annotate(n=Count("id"))
    )
    return dict(rows.order_by())


def blueprint(name: str) -> list[TemplateVersion]:
    """The templates of a blueprint, newest versions; none for a name that there is not."""
    _title, slugs = BLUEPRINTS.get(name, ("", ()))
    return [version for version in library() if version.slug in slugs]


def defaults(schema: dict[str, Any]) -> dict[str, Any]:
    """The settings that a schema gives by itself."""
    properties: dict[str, Any] = schema.get("properties", {})
    return {name: part["default"] for name, part in properties.items() if "default" in part}
