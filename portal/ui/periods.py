"""Which period a page of figures looks at, as its address says: the last so many days, all there is, or two days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from automations.insights.queries import Scope
from portal.ui.kit.query import instant
from tenants.tenancy import context

ALL: Final = "all"
OWN: Final = "own"
STANDARD: Final = "28"
CHOICES: Final[tuple[tuple[str, str | Promise], ...]] = (
    ("7", gettext_lazy("7 days")),
    ("28", gettext_lazy("28 days")),
    ("90", gettext_lazy("Quarter")),
    ("365", gettext_lazy("Year")),
    (ALL, gettext_lazy("All")),
)
_LENGTHS: Final = frozenset(code for code, _words in CHOICES)


@dataclass(frozen=True, slots=True)
class Period:
    """A period as it was chosen: its code, what it looks at, and the parameters that say the same in an address."""

    code: str
    scope: Scope
    query: Mapping[str, str]

    @property
    def days(self) -> int:
        """How many days it has; none where it has no beginning."""
        return len(self.scope.days())

    @property
    def before(self) -> str:
        """The period before it, in words."""
        if not self.days:
            return ""
        return ngettext("previous day", "previous %(n)d days", self.days) % {"n": self.days}

    @property
    def tag(self) -> str:
        """The parameters as the end of an address."""
        return "&".join(f"{name}={value}" for name, value in self.query.items())

    @property
    def words(self) -> str:
        """The period in words."""
        if self.code == ALL:
            return _("since the beginning")
        if self.code == OWN:
            return _("in the chosen days")
        return ngettext("in the last day", "in the last %(n)d days", self.days) % {"n": self.days}


def period_of(given: Mapping[str, Any]) -> Period:
    """The period that `period`, or `since` and `until` (days, both included), ask for; what is none asks for nothing.

    Days are the reader's, the present is the client's: a sandbox may live on a clock of its own.
    """
    now, zone = context.now(), timezone.get_current_timezone()
    since, until = instant(str(given.get("since", ""))), instant(str(given.get("until", "")), end=True)
    if since or until:
        query = {name: str(given[name]) for name in ("since", "until") if given.get(name)}
        at = min(now, until) if until else now
        return Period(OWN, Scope(at, _earlier(since, at), until, zone), query)
    asked = str(given.get("period", ""))
    code = asked if asked in _LENGTHS else STANDARD
    if code == ALL:
        return Period(code, Scope(now, zone=zone), {"period": code})
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return Period(code, Scope(now, midnight - timedelta(days=int(code) - 1), zone=zone), {"period": code})


def _earlier(since: datetime | None, at: datetime) -> datetime | None:
    """A beginning in the future is the present: a period without a day in it holds nothing."""
    return min(since, at) if since else None
