"""Pages of a client's work, with something in them: a case of each sort, a run that failed and one that came through."""

from datetime import timedelta

from automations.engine.actions import redriving
from automations.engine.machine.moves import Outcome
from automations.engine.queries import RunFilter
from automations.inbox import actions
from automations.inbox.models import Case
from kernel import clock
from tenants.tenancy import context
from tests.automations.inbox.conftest import BY, Bench
from tests.support.cast import Cast

ADDRESS = {"name": "Ann Example", "street": "14 Quay Street", "city": "Bristol", "postcode": None}


def pages(cast: Cast) -> list[str]:
    """The addresses of the inbox, of runs and of workflows in Hollis."""
    now = clock.now()
    with context.enter(cast.tenant):
        bench = Bench()
        failed = bench.fail(at=now - timedelta(hours=9), shipping_address=ADDRESS)
        done = bench.fail(Outcome(201, {}, {"reference": "SO-1"}), order_id="10046", at=now)
        going = bench.fail(order_id="10047", at=now)
        act = redriving.start_bulk(
            act="skip", wanted=RunFilter(business_key="10045"), reason="by phone", actor=BY, now=now
        )
        case = Case.objects.get(run_id=failed.pk)
        Case.objects.filter(pk=case.pk).update(facts={"Shop": {"units": 14}, "Warehouse": {"units": 9}})
        actions.comment_on_case(case_id=case.pk, text="The carrier found it.", actor=BY, now=now)
        actions.decide_case(case_id=Case.objects.get(run_id=going.pk).pk, decision="retry", actor=BY, now=now)
        asked = Case.objects.get(run_id=bench.fail(order_id="10048", at=now).pk)
        actions.set_limit(minor=10_000, currency="GBP", actor=cast.actor(cast.owner), now=now)
        rosa = cast.actor(cast.reviewer)
        actions.put_decision(
            case_id=asked.pk, decision="skip", reason="By phone", actor=rosa, now=now, undo=True
        )
        actions.attach_file(case_id=case.pk, name="note.txt", content=b"seen", actor=rosa, now=now)
        for number in range(6):
            bench.fail(Outcome(503, {}, {"title": "Away"}), order_id=f"2000{number}", at=now)
    inbox, run = f"/inbox/{case.public_id}/", f"/runs/{failed.public_id}/"
    workflow = f"/workflows/{bench.workflow.public_id}/"
    return [
        "/inbox/", "/inbox/?state=resolving", "/inbox/?q=nothing-like-it", "/inbox/?kind=run_failed&who=nobody",
        f"/inbox/{asked.public_id}/", "/inbox/?state=second", "/inbox/views/?severity=high", "/settings/",
        inbox, f"{inbox}correct", f"{inbox}decide/cancel", f"{inbox}decide/complete",
        "/runs/", "/runs/?status=suspended", "/runs/?q=nothing-like-it", run, f"{run}?step=/do/1/book&tab=input",
        f"{run}cancel", f"/runs/{done.public_id}/",
        f"{run}from/1", "/runs/bulk/start", "/runs/bulk/start?act=cancel", "/runs/bulk/start?order=none", "/runs/bulk/",
        f"/runs/bulk/{act.public_id}/", f"/runs/bulk/{act.public_id}/?show=trouble", f"{workflow}dry-run",
        f"{workflow}move",
        "/workflows/", "/workflows/?q=nothing-like-it", workflow, f"{workflow}?step=/do/1/book",
        f"{workflow}settings", f"{workflow}start", f"{workflow}state/paused",
        f"{workflow}state/off", f"{workflow}turns", f"{run}pause/paused",
    ]  # fmt: skip
