"""TemplateVersion (immutable, content-hashed) and Installation (which version works in which tenant). Public schema."""

from django.db import models

from kernel.models import Row
from tenants.tenancy.models import Partner, Tenant


class TemplateVersion(Row):
    """One published version of a template: everything that its folder holds, under one digest."""

    prefix = "tpl"

    slug = models.CharField(max_length=60)
    version = models.CharField(max_length=40)
    title = models.CharField(max_length=120)
    summary = models.TextField()
    manifest = models.JSONField()
    input_schema = models.JSONField()
    document = models.JSONField(help_text="The workflow.")
    tests = models.JSONField(default=list)
    changelog = models.TextField(blank=True)
    runbook = models.TextField(blank=True)
    digest = models.CharField(max_length=64)
    partner = models.ForeignKey(
        Partner,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        help_text="Whose own it is; everybody's if empty.",
    )
    published_at = models.DateTimeField()
    recalled_at = models.DateTimeField(
        null=True, blank=True, help_text="From then on it is not installed any more."
    )

    class Meta:
        ordering = ["slug", "-published_at"]
        constraints = [
            # a version is one content
            models.UniqueConstraint(
                fields=["slug", "version", "partner"], nulls_distinct=False, name="template_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug} {self.version}"

    @property
    def needs(self) -> list[dict[str, str]]:
        """The connections it needs: alias, connector, title."""
        found: list[dict[str, str]] = self.manifest.get("connections", [])
        return found


class Installation(Row):
    """A template at work in a tenant, pinned to a version."""

    prefix = "ins"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="installations")
    version = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, related_name="installations")
    slug = models.CharField(max_length=60)
    workflow_id = models.UUIDField()
    config = models.JSONField(default=dict)
    connections = models.JSONField(default=dict)
    installed_by = models.CharField(max_length=200)
    installed_at = models.DateTimeField()
    upgraded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["slug"]
        constraints = [
            # a template works once in a tenant; a second way of working is another template
            models.UniqueConstraint(fields=["tenant", "slug"], name="installation_once"),
        ]

    def __str__(self) -> str:
        return f"{self.slug}, {self.tenant}"
