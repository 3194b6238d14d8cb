"""Brand: what a partner's clients see instead of us."""

from django.core.validators import RegexValidator
from django.db import models

from kernel.models import Row
from tenants.tenancy.models import Partner


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
    logo = models.BinaryField(null=True, help_text="PNG, re-encoded by us")
    support_email = models.EmailField(blank=True)
    support_url = models.URLField(blank=True)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
