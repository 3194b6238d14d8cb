"""Finding what people paste."""

from dataclasses import dataclass
from datetime import datetime

from automations.engine import queries as engine
from automations.engine.models import Run
from automations.events import queries as events
from automations.inbox import queries as inbox
from automations.insights.queries.order import orders_like
from kernel import ids


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found: what it is, the id of its page, and what to show."""

    kind: str
    id: str
    title: str
    detail: str


def search(text: str, *, now: datetime, limit: int = 10) -> list[Hit]:
    """Orders, cases and runs by what people paste: how an order's id or number begins, EX-1042, run_…, case_…."""
    text = text.strip()
    if not text:
        return []
    found = [
        Hit("order", one.order_id, one.number or one.order_id, one.status)
        for one in orders_like(text, at=now, limit=limit)
    ]
    found += [
        Hit("case", one.public_id, f"{one.code} {one.title}", one.state)
        for one in inbox.find(text, now=now, limit=limit)
    ]
    runs = engine.runs(business_key=text)
    if text.startswith(f"{Run.prefix}_"):
        try:
            runs = engine.runs().filter(pk=ids.parse_public_id(Run.prefix, text))
        except ValueError:
            runs = Run.objects.none()
    found += [
        Hit("run", run.public_id, run.business_key or run.public_id, run.status) for run in runs[:limit]
    ]
    if not any(hit.kind == "order" for hit in found) and events.of_subject(text, limit=1):
        found.append(
            Hit("order", text, text, "")
        )  # its events are known, though nothing was folded from them
    return found
