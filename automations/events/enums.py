"""Kinds of endpoints and states of what was refused."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class EndpointKind(TextChoices):
    """How deliveries are signed and what their bodies are."""

    CLOUDEVENTS = "cloudevents", _("CloudEvents, signed by Standard Webhooks")
    SHOPIFY = "shopify", _("Shopify")


class RejectionState(TextChoices):
    """Whether somebody still has to look at it."""

    OPEN = "open", _("Open")
    ACCEPTED = "accepted", _("Taken after all")
    DISCARDED = "discarded", _("Discarded")
