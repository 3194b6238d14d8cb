"""Words of the notices: what is told, how somebody is told, where messages go."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class About(TextChoices):
    """What a notice is about."""

    OPENED = "opened", _("A case needs somebody")
    ASSIGNED = "assigned", _("A case was given to you")
    COMMENTED = "commented", _("Somebody wrote about your case")


class Mail(TextChoices):
    """When somebody is told by mail."""

    OFF = "off", _("Never")
    SOON = "soon", _("Within minutes")
    DAILY = "daily", _("Once a day, in the morning")


class ChannelKind(TextChoices):
    """What a channel speaks."""

    WEBHOOK = "webhook", _("Webhook, signed")
    SLACK = "slack", _("Slack, or what takes its messages")
    TEAMS = "teams", _("Microsoft Teams")


URGENCY: Final = {"normal": 0, "high": 1, "critical": 2}
"""Severities of cases in their order."""
