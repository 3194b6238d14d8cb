"""The living page of the design system: every component in its states, with made-up content; operators only."""

from datetime import timedelta
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from kernel import clock
from kernel.money import Money
from portal.permissions import door
from portal.request import SignedIn
from portal.ui import styleguide_samples as samples
from portal.ui.kit.pages import acted, go, page, refused
from portal.ui.kit.schemaform import SchemaForm
from portal.ui.kit.status import LOOKS
from portal.ui.periods import CHOICES

_COLOURS: Final = (
    "bg", "surface", "raise", "sunk", "line", "line2", "edge", "ink", "ink2", "ink3",
    "p-solid", "p-on", "p-edge", "p-text", "p-soft", "p-soft2",
    "ok", "info", "warn", "bad", "review", "wait", "c1", "c2", "c3", "c4", "c5", "c6",
)  # fmt: skip


@door("platform.read")
def styleguide(request: SignedIn) -> HttpResponse:
    """All of it, or one component's states: `?only=`."""
    now = clock.now()
    if "toast" in request.GET:
        messages.success(request, "Saved. This came with the page.")
    rows = samples.cases(now)
    context: dict[str, Any] = {
        "colours": _COLOURS,
        "statuses": sorted(LOOKS),
        "charts": samples.time_series(),
        "run": samples.run(),
        "cases": rows,
        "now": now,
        "later": now + timedelta(hours=2),
        "earlier": now - timedelta(days=40),
        "money": Money(104_500, "GBP"),
        "crumbs": [(_("Platform"), "/"), (_("Style guide"), "")],
        "form": SchemaForm(samples.SCHEMA, kept={"token": "••••4F2a, set 3 days ago"}),
        "wrong": _wrong_form(),
        "events": samples.events(now),
        "tabs": [
            ("#tabs", "Summary", None, True),
            ("#tabs", "Input", None, False),
            ("#tabs", "Logs", 31, False),
        ],
        "chips": [
            ("#views", "Open", 23, True),
            ("#views", "Mine", 4, False),
            ("#views", "Past due", 4, False),
        ],
        "schema_rows": samples.SCHEMA,
        "bars": samples.BARS,
        "periods": CHOICES,
        "period": {"code": "28"},
        **_case(request, rows),
    }
    return page(request, "styleguide/page.html", context)


def _wrong_form() -> SchemaForm:
    """The same form, sent with mistakes."""
    form = SchemaForm(
        samples.SCHEMA,
        {"warehouse": "Leeds", "buffer": "900", "mode": "fix", "token": "short"},
        prefix="wrong",
    )
    form.data = {f"wrong-{name}": value for name, value in form.data.items()}
    form.full_clean()
    return form


def _case(request: SignedIn, rows: list[dict[str, Any]]) -> dict[str, Any]:
    chosen = next((row for row in rows if row["id"] == request.GET.get("id")), rows[1])
    now = clock.now()
    return {
        "case": chosen,
        "facts": [
            ("Value at risk", chosen["value"].format("en_GB"), ""),
            ("Due", chosen["due"], "bad"),
            ("Raised", "41 min ago", ""),
            ("Owner", "Unassigned", ""),
        ],
        "comparison": samples.COMPARISON,
        "stops": samples.STOPS,
        "acts": [
            {
                "who": "Stock sync",
                "text": "Stock sync raised this exception",
                "at": now - timedelta(minutes=41),
                "note": "run_8fk2",
            },
            {
                "who": "Jess Okafor",
                "text": "Jess Okafor edited the shop's quantity from 11 to 14",
                "at": now - timedelta(hours=14),
            },
        ],
    }


@door("platform.read")
def item(request: SignedIn) -> HttpResponse:
    """The detail of a made-up case, for the split view."""
    rows = samples.cases(clock.now())
    if request.headers.get("HX-Request-Type") != "partial":
        return go(request, f"/styleguide?id={request.GET.get('id', '')}#split")
    return page(request, "styleguide/case.html", _case(request, rows))


@door("platform.read")
def act(request: SignedIn) -> HttpResponse:
    """Pretend to act: what a triage action answers, with an undo; `refuse` is what a refusal looks like."""
    if request.method != "POST":
        return go(request, "/styleguide")
    if "refuse" in request.POST:
        return refused("Colin took this case a minute ago.")
    return acted("Fix approved", undo="/styleguide/act")
