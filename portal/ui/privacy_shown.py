"""Tables and classes of data in words."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

TABLES: Final = {
    "audit.AuditEvent": _("Audit log"),
    "engine.Blob": _("Large values of runs"),
    "engine.Brood": _("Runs started together"),
    "engine.Bulk": _("Acts on many runs"),
    "engine.BulkItem": _("Acts on many runs"),
    "engine.Run": _("Runs: inputs and outputs"),
    "engine.RunState": _("Runs under way"),
    "engine.Segment": _("Journals of runs"),
    "events.Event": _("Events"),
    "events.Rejection": _("Quarantine"),
    "inbox.Case": _("Cases"),
    "inbox.Comment": _("Comments"),
    "inbox.Decision": _("Decisions"),
    "inbox.Intent": _("Decisions"),
    "inbox.Paper": _("Files on cases"),
    "insights.OrderFact": _("Orders for figures"),
    "notices.Message": _("Messages"),
    "notices.Notice": _("Notifications"),
}


def counted(rows: Mapping[str, int]) -> list[tuple[str, int]]:
    """(table in words, how many rows), the most first."""
    found: dict[str, int] = {}
    for name, number in rows.items():
        words = str(TABLES.get(name, name))
        found[words] = found.get(words, 0) + int(number)
    return sorted(found.items(), key=lambda one: (-one[1], one[0]))
