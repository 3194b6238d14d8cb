"""Words of the audit room."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class StreamKind(TextChoices):
    """How events are sent on."""

    WEBHOOK = "webhook", _("Webhook")
    SYSLOG = "syslog", _("Syslog over TCP")
