"""A person is found wherever they stand, given out as a file, and gone afterwards; what else there is stays as it was."""

import io
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from automations.engine.enums import RunStatus
from automations.engine.machine import apart
from automations.engine.models import Blob, Run, RunState, Segment
from automations.events import actions as events
from automations.events.models import Event
from automations.inbox.models import Case, Comment, Paper
from automations.ledger.models import QueueRow
from kernel import ids, jsonx
from kernel.actor import Actor, system
from kernel.errors import Invalid
from tenants.audit import actions as audit
from tenants.audit.models import AuditEvent
from tenants.privacy import policy, queries, store
from tenants.privacy.actions import erasures, keeping, subjects
from tenants.privacy.enums import SubjectState
from tenants.privacy.errors import NotReady, OnHold
from tenants.privacy.models import Erasure, SubjectRequest
from tenants.tenancy.queries import TenantRef
from tests.support import make

BY = system("test")
MAIL = "ann@example.com"
ORDER = make.order(note="ring twice", weight=3)
OTHER = make.order(
    order_id="77",
    customer={"name": "Bo Other", "email": "bo@example.com"},
    shipping_address={"name": "Bo Other", "street": "2 Hill Road", "city": "Leeds", "country": "GB"},
)
FILLER = random.Random(7).randbytes(90_000).hex()  # so that it does not pack
TRACES = ("ann@example.com", "Ann Example", "14 Quay Street", "BS1 4DB")


@pytest.fixture
def run(tenant: TenantRef, now: datetime) -> Run:
    """Ann's order in every place where she may stand, and Bo's beside it."""
    for number, order in enumerate((ORDER, OTHER)):
        events.publish(
            type="order.placed",
            subject=order["order_id"],
            data=order,
            source="/shops/harbour",
            time=now,
            event_id=f"e{number}",
        )
    return a_run(now, {"order": ORDER})


def a_run(now: datetime, value: Any) -> Run:
    made = Run.objects.create(
        workflow_id=ids.uuid7(),
        definition_id=ids.uuid7(),
        status=RunStatus.WAITING,
        business_key="10045",
        value_minor=17_895,
        currency="GBP",
        input=jsonx.pack(value),
        started_at=now,
    )
    lines = [
        {
            "n": number,
            "r": f"/do/{number}/step",
            "s": "completed",
            "b": 1.0,
            "e": 2.0,
            "o": {**value, "n": number},
        }
        for number in range(40)
    ]
    Segment.objects.create(run_id=made.id, seq=0, steps=apart.pack_lines(lines))
    large, blobs = apart.lighten({"big": {"letter": f"{MAIL} {FILLER}"}, "small": value})
    RunState.objects.create(run_id=made.id, snapshot=large)
    for digest, blob in blobs.items():
        Blob.objects.create(run_id=made.id, digest=digest, size=blob.size, content=blob.content)
    case = Case.objects.create(
        key=f"{made.id}:/do/1/book",
        number=9_001,
        kind="run_failed",
        title="Order 10045 of Ann Example cannot be booked",
        cause="ann@example.com was refused",
        run_id=made.id,
        business_key="10045",
        fingerprint="f" * 32,
        facts={"shop": value},
        seq=1,
        due_at=now,
        opened_at=now,
    )
    Comment.objects.create(case=case, text="Rang Ann Example, 14 Quay Street", actor="Robin", at=now)
    text = b"Ann Example <ann@example.com> wants her money"
    Paper.objects.create(
        case=case,
        name="letter.txt",
        media="text/plain",
        size=len(text),
        sha256="0" * 64,
        content=text,
        actor="R",
        at=now,
    )
    return made


def opened(terms: list[str], now: datetime) -> SubjectRequest:
    made = subjects.open_request(terms=terms, reference="DSR 12", actor=BY, now=now)
    while not subjects.carry_on(key=made.id, now=now):
        continue
    made.refresh_from_db()
    return made


def erased(made: SubjectRequest, now: datetime) -> SubjectRequest:
    terms = policy.opened(made, purpose=policy.SUBJECT)
    subjects.erase_subject(row=made, terms=terms, typed="DSR 12", reason="asked by mail", actor=BY, now=now)
    for _ in range(20):
        if subjects.carry_on(key=made.id, now=now):
            break
    made.refresh_from_db()
    return made


def everything() -> str:
    """All that the tenant's tables hold, unpacked, as one text."""
    found = []
    for model in store.tenant_models():
        for row in model._meta.base_manager.all():
            for column in model._meta.concrete_fields:
                value = getattr(row, column.attname)
                if isinstance(value, (bytes, memoryview)):
                    try:
                        value = jsonx.text(apart.outline(bytes(value))[0])
                    except (ValueError, KeyError):
                        value = bytes(value).decode(errors="replace")
                found.append(str(value))
    return "\n".join(found)


def test_a_person_is_found_in_every_place(run: Run, now: datetime) -> None:
    made = opened([MAIL], now)
    assert made.state == SubjectState.FOUND
    counts = {label: said["rows"] for label, said in made.found["places"].items()}
    assert counts == {
        "engine.Blob": 1,
        "engine.Run": 1,
        "engine.RunState": 1,
        "engine.Segment": 1,
        "events.Event": 1,
        "inbox.Case": 1,
        "inbox.Paper": 1,
    }
    assert made.found["business"] == ["10045"]
    terms = policy.opened(made, purpose=policy.SUBJECT)
    assert terms[0] == MAIL
    assert {"Ann Example", "14 Quay Street"} <= set(terms)
    assert MAIL not in str(made.found) + bytes(made.terms or b"").decode(errors="replace")


def test_what_was_found_is_given_out_as_a_file(run: Run, now: datetime) -> None:
    made = opened([MAIL], now)
    out = io.BytesIO()
    assert subjects.export_subject(row=made, out=out, actor=BY, now=now) == 7
    lines = [jsonx.loads(line) for line in out.getvalue().splitlines()]
    assert lines[0]["reference"] == "DSR 12"
    event = next(line for line in lines if line.get("table") == "events.Event")
    assert event["content"]["data"]["customer"]["email"] == MAIL
    assert "bo@example.com" not in out.getvalue().decode()


def test_an_erased_person_is_nowhere_and_the_rest_is_whole(run: Run, now: datetime) -> None:
    made = erased(opened([MAIL], now), now)
    assert made.state == SubjectState.ERASED, made.progress
    assert made.terms is None
    left = everything()
    assert [trace for trace in TRACES if trace.lower() in left.lower()] == []
    assert "bo@example.com" in left
    run.refresh_from_db()
    order = jsonx.unpack(run.input)["order"]
    assert (order["order_id"], order["total_minor"], order["lines"]) == ("10045", 17_895, ORDER["lines"])
    assert run.value_minor == 17_895
    assert order["customer"]["email"].endswith("@erased.invalid")
    lines = apart.lines(Segment.objects.get(run_id=run.id).steps)
    assert [(line["n"], line["s"]) for line in lines] == [(number, "completed") for number in range(40)]
    state = RunState.objects.get(run_id=run.id).snapshot
    contents = dict(Blob.objects.filter(run_id=run.id).values_list("digest", "content"))
    whole = apart.whole(state, {digest: bytes(content) for digest, content in contents.items()})
    assert whole["big"]["letter"].endswith(f"@erased.invalid {FILLER}")
    assert whole["small"]["order"]["order_id"] == "10045"


def test_the_sealed_log_forgets_the_person_and_still_verifies(
    run: Run, now: datetime, settings: Any, tmp_path: Path
) -> None:
    settings.AUDIT_HEADS = tmp_path
    person = Actor(kind="user", id=ids.uuid7(), label="Ann Example <ann@example.com>")
    audit.record(
        actor=person, action="test.act", obj=("x", "x1", "hers"), now=now, reason="for ann@example.com"
    )
    made = erased(opened([MAIL], now), now)
    assert made.state == SubjectState.ERASED
    assert AuditEvent.objects.get(action="test.act").actor_label == ""
    while audit.seal(now=now):
        continue
    check = audit.verify_log(actor=BY, now=now)
    assert check.ok, check.findings
    acts = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"privacy.open_request", "privacy.erase_subject", "privacy.subject_erased", "audit.erase"} <= acts


def test_a_run_that_a_worker_holds_comes_later(run: Run, tenant: TenantRef, now: datetime) -> None:
    held = QueueRow.objects.create(
        run_id=run.id, tenant_id=tenant.id, definition_id=run.definition_id, ready_at=now, owner=ids.uuid7()
    )
    made = erased(opened([MAIL], now), now)
    assert made.state == SubjectState.ERASING
    assert MAIL in jsonx.text(jsonx.unpack(Run.objects.get(pk=run.pk).input))
    QueueRow.objects.filter(pk=held.pk).update(owner=None)
    for _ in range(5):
        if subjects.carry_on(key=made.id, now=now):
            break
    made.refresh_from_db()
    assert made.state == SubjectState.ERASED
    assert MAIL not in everything()


def test_a_backup_that_comes_back_is_erased_again(run: Run, tenant: TenantRef, now: datetime) -> None:
    before = {row.pk: row.data for row in Event.objects.all()}
    erased(opened([MAIL], now), now)
    for key, data in before.items():
        Event.objects.filter(pk=key).update(data=data)  # as a restored schema would have it
    assert MAIL in everything()
    assert erasures.replay_erasures(tenant, now=now) == 1
    assert MAIL not in everything()
    assert erasures.replay_erasures(tenant, now=now) == 0
    line = Erasure.objects.get(tenant_id=tenant.id)
    assert line.replays == 2
    assert erasures.forget_terms(now=line.forget_at - timedelta(seconds=1)) == 0
    assert erasures.forget_terms(now=line.forget_at) == 1
    assert queries.ledger_of(tenant.id) == []


def test_a_legal_hold_beats_an_erasure_and_says_so(run: Run, now: datetime) -> None:
    made = opened([MAIL], now)
    hold = keeping.place_hold(name="Case 7", reason="court", subject=made, actor=BY, now=now)
    with pytest.raises(OnHold, match="Case 7"):
        subjects.erase_subject(row=made, terms=[MAIL], typed="DSR 12", reason="asked", actor=BY, now=now)
    assert MAIL in everything()
    keeping.lift_hold(hold=hold, reason="over", actor=BY, now=now)
    hold.refresh_from_db()
    assert hold.terms is None
    assert erased(made, now).state == SubjectState.ERASED


@pytest.mark.parametrize(
    ("terms", "field"),
    [([], "terms"), (["abc"], "terms"), (["x" * 300], "terms"), ([f"a{n}@b.eu" for n in range(41)], "terms")],
)
def test_what_names_nobody_is_not_looked_for(
    tenant: TenantRef, now: datetime, terms: list[str], field: str
) -> None:
    with pytest.raises(Invalid) as raised:
        subjects.open_request(terms=terms, reference="", actor=BY, now=now)
    assert field in raised.value.fields


def test_what_stays_names_nobody(run: Run, now: datetime) -> None:
    with pytest.raises(Invalid) as raised:
        subjects.open_request(terms=[MAIL], reference=f"about {MAIL}", actor=BY, now=now)
    assert "reference" in raised.value.fields
    made = opened([MAIL], now)
    with pytest.raises(Invalid) as raised:
        subjects.erase_subject(
            row=made, terms=[MAIL], typed="DSR 12", reason=f"{MAIL} asked", actor=BY, now=now
        )
    assert "reason" in raised.value.fields
    with pytest.raises(Invalid) as raised:
        subjects.erase_subject(row=made, terms=[MAIL], typed="DSR", reason="asked", actor=BY, now=now)
    assert "typed" in raised.value.fields
    done = erased(made, now)
    with pytest.raises(NotReady):
        subjects.export_subject(row=done, out=io.BytesIO(), actor=BY, now=now)
