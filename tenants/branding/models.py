"""Brand: what a partner's clients see instead of us; BrandVersion; DomainClaim, ReleasedDomain."""

from typing import Final

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from kernel.models import Row
from tenants.tenancy.models import Partner, Tenant

PICTURES: Final = ("logo", "logo_type", "favicon", "favicon_type")
"""Columns of a brand's pictures, with what kind of picture each is."""


class Brand(Row):
    """Name, colour and contact of a partner's portal."""

    prefix = "brd"

    partner = models.OneToOneField(Partner, on_delete=models.CASCADE, related_name="brand")
    name = models.CharField(max_length=60)
    colour = models.CharField(
        max_length=7, validators=[RegexValidator(r"^#[0-9a-f]{6}$", "Use a colour such as #5b5bd6.")]
    )
    sidebar = models.CharField(
        max_length=8, choices=[("light", "Light"), ("dark", "Dark, tinted with your colour")], default="light"
    )
    logo = models.BinaryField(null=True, help_text="PNG, re-encoded by us; or SVG, cleaned by us")
    logo_type = models.CharField(max_length=16, blank=True, default="", db_default="")
    favicon = models.BinaryField(null=True)
    favicon_type = models.CharField(max_length=16, blank=True, default="", db_default="")
    support_email = models.EmailField(blank=True)
    support_url = models.URLField(blank=True)
    sender_name = models.CharField(max_length=60, blank=True, default="", db_default="")
    imprint_url = models.URLField(blank=True, default="", db_default="")
    privacy_url = models.URLField(blank=True, default="", db_default="")
    terms_url = models.URLField(blank=True, default="", db_default="")
    words = models.JSONField(default=dict, blank=True, db_default={}, help_text="Own words, by language.")
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class DomainClaim(Row):
    """A host name of a partner's own, and its proof: whoever can write into its zone puts the `nonce` there.

    A claim keeps nobody else from claiming; only the first that is proven becomes a domain, which is served.
    """

    prefix = "dcl"

    host = models.CharField(max_length=253)
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="domain_claims")
    tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, null=True, blank=True, related_name="domain_claims"
    )
    nonce = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["host"]
        constraints = [
            models.UniqueConstraint(
                fields=["host", "partner", "tenant"], nulls_distinct=False, name="domain_claim_once"
            ),
        ]

    def __str__(self) -> str:
        return self.host


class ReleasedDomain(Row):
    """A host that was somebody's: until a day nobody but its last partner may claim it, since names are cached."""

    prefix = "rdm"

    host = models.CharField(max_length=253, unique=True)
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    released_at = models.DateTimeField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.host


class BrandVersion(Row):
    """A brand as it was published once; or, not published yet, the partner's draft."""

    prefix = "brv"

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="brand_versions")
    number = models.PositiveIntegerField()
    values = models.JSONField(default=dict)
    logo = models.BinaryField(null=True)
    logo_type = models.CharField(max_length=16, blank=True, default="")
    favicon = models.BinaryField(null=True)
    favicon_type = models.CharField(max_length=16, blank=True, default="")
    made_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["partner", "number"], name="brand_version_once"),
            models.UniqueConstraint(
                fields=["partner"], condition=Q(published_at__isnull=True), name="brand_one_draft"
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"
