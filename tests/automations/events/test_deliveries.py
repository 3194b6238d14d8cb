"""A delivery is taken in once, whole, and answered with what became of each of its events."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings

from automations.connectors.errors import Nonsense, SignatureMissing, SignatureWrong, TimestampStale
from automations.events import actions
from automations.events.actions import Receipt
from automations.events.enums import RejectionCode, RejectionState
from automations.events.errors import EndpointUnknown, IntakeFull, NotAnEvent, WrongMediaType
from automations.events.models import Event, Rejection
from automations.ledger.models import IntakeRow
from kernel import ids
from kernel.actor import system
from kernel.errors import Invalid, TooLarge
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.actions import advance_clock
from tenants.tenancy.enums import TenantState
from tenants.tenancy.errors import NoTenant, TenantSuspended
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import TenantRef, ref_of
from tests.support import make
from tests.support.cast import NOW
from tests.support.make import Door

Deliver = Callable[..., Receipt]


def test_an_event_is_stored_as_it_was_sent_and_waits_in_the_intake(
    deliver: Deliver, door: Door, tenant: TenantRef
) -> None:
    sent = make.cloudevent(id="e-1", correlationid="c-9", partitionkey="10045")
    receipt = deliver(sent)
    event = Event.objects.get()
    assert receipt == Receipt(status=202, ids=(event.public_id,))
    assert event.envelope() == sent
    assert (event.endpoint_id, event.internal, event.contract) == (door.row.id, False, 1)
    assert event.received_at == NOW
    assert event.extensions == {"correlationid": "c-9", "partitionkey": "10045"}
    waiting = IntakeRow.objects.get(tenant_id=tenant.id)
    assert (waiting.event_id, waiting.received_at) == (event.id, NOW)


def test_the_bell_is_rung_once_and_only_after_the_commit(
    deliver: Deliver, rings: list[None], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        deliver([make.cloudevent(), make.cloudevent()])
        assert rings == []
    assert rings == [None]


def test_a_replay_changes_nothing_and_rings_nobody(
    deliver: Deliver, rings: list[None], django_capture_on_commit_callbacks: Any
) -> None:
    event = make.cloudevent()
    deliver(event)
    with django_capture_on_commit_callbacks(execute=True):
        assert deliver(event, key="msg_2") == Receipt(status=200, duplicates=1)
    assert (Event.objects.count(), IntakeRow.objects.count(), rings) == (1, 1, [])


def test_the_order_of_keys_does_not_make_another_event(deliver: Deliver) -> None:
    event = make.cloudevent()
    deliver(event)
    assert deliver(dict(reversed(event.items()))) == Receipt(status=200, duplicates=1)


def test_another_body_under_the_same_id_is_a_conflict_that_somebody_sees(
    deliver: Deliver, caplog: pytest.LogCaptureFixture
) -> None:
    deliver(make.cloudevent(id="e-1"))
    receipt = deliver(make.cloudevent(id="e-1", data=make.order(total_minor=1)))
    assert (receipt.status, receipt.conflicts, receipt.outcome) == (409, 1, "id_reused")
    assert Event.objects.get().data["total_minor"] == 17_895
    assert IntakeRow.objects.count() == 1
    aside = Rejection.objects.get()
    assert (aside.code, aside.event_id, aside.body["data"]["total_minor"]) == ("id_reused", "e-1", 1)
    assert [record.levelname for record in caplog.records if "reused" in record.getMessage()] == ["ERROR"]


def test_the_same_id_from_another_source_is_another_event(deliver: Deliver) -> None:
    deliver(make.cloudevent(id="e-1", source="/shops/a"))
    assert deliver(make.cloudevent(id="e-1", source="/shops/b")).status == 202
    assert Event.objects.count() == 2


def test_what_breaks_its_contract_is_set_aside_and_acknowledged(deliver: Deliver) -> None:
    receipt = deliver(make.cloudevent(id="e-1", data=make.order(total_minor="178.95")))
    aside = Rejection.objects.get()
    assert (receipt.status, receipt.accepted, len(receipt.rejected)) == (202, 0, 1)
    assert receipt.body()["rejections"] == [
        {
            "id": aside.public_id,
            "event": "e-1",
            "code": "contract_broken",
            "reason": '/total_minor: "178.95" is not of type "integer"',
        }
    ]
    assert aside.findings == [{"pointer": "/total_minor", "message": '"178.95" is not of type "integer"'}]
    assert (aside.state, aside.subject, aside.type) == (RejectionState.OPEN, "10045", "order.placed")
    assert (Event.objects.count(), IntakeRow.objects.count()) == (0, 0)


def test_what_was_set_aside_and_comes_again_is_set_aside_once(deliver: Deliver) -> None:
    broken = make.cloudevent(data={"order_id": 5})
    deliver(broken)
    assert deliver(broken) == Receipt(status=200, duplicates=1)
    assert Rejection.objects.count() == 1


def test_each_event_of_a_batch_stands_for_itself(deliver: Deliver) -> None:
    known = make.cloudevent(id="known")
    deliver(known)
    receipt = deliver(
        [
            make.cloudevent(id="new"),
            known,
            make.cloudevent(id="known", subject="other"),
            make.cloudevent(id="broken", data={}),
            make.cloudevent("portal.run.faulted", id="ours"),
            {"specversion": "1.0", "id": "no-type", "source": "/x"},
            "no event at all",
            make.cloudevent(id="twice"),
            make.cloudevent(id="twice"),
        ]
    )
    assert (receipt.status, receipt.accepted, receipt.duplicates, receipt.conflicts) == (202, 2, 2, 1)
    assert set(Event.objects.values_list("event_id", flat=True)) == {"known", "new", "twice"}
    assert sorted(Rejection.objects.values_list("event_id", "code")) == [
        ("", "not_an_event"),
        ("broken", "contract_broken"),
        ("known", "id_reused"),
        ("no-type", "not_an_event"),
        ("ours", "reserved"),
    ]
    assert IntakeRow.objects.count() == 3


def test_a_batch_enters_the_intake_in_its_order(deliver: Deliver) -> None:
    deliver([make.cloudevent(id=f"e-{number}") for number in range(40)])
    order = IntakeRow.objects.order_by("seq").values_list("event_id", flat=True)
    names = dict(Event.objects.values_list("id", "event_id"))
    assert [names[key] for key in order] == [f"e-{number}" for number in range(40)]


def test_an_empty_batch_is_answered_and_changes_nothing(
    deliver: Deliver, nothing_happened: Callable[[], bool]
) -> None:
    assert deliver([]) == Receipt(status=200, ignored=True)
    assert nothing_happened()


def test_a_type_without_a_contract_is_taken_and_marked(deliver: Deliver) -> None:
    deliver(make.cloudevent("till.opened", data={"till": 4}))
    assert Event.objects.get().contract is None


@pytest.mark.parametrize(
    ("type_", "source"), [("portal.run.faulted", "/shop"), ("order.placed", "/engine"), ("a.b", "/portal/x")]
)
def test_what_only_the_portal_writes_is_refused_from_outside(
    deliver: Deliver, type_: str, source: str
) -> None:
    receipt = deliver(make.cloudevent(type_, source=source))
    assert (receipt.status, [one.code for one in receipt.rejected]) == (202, ["reserved"])
    assert (Event.objects.count(), IntakeRow.objects.count()) == (0, 0)


def test_extensions_of_the_portal_are_not_taken_from_outside(deliver: Deliver) -> None:
    deliver(make.cloudevent(portalhops=0, traceparent="00-ab-cd-01"))
    assert Event.objects.get().extensions == {"traceparent": "00-ab-cd-01"}


def test_numbers_stay_exact(deliver: Deliver) -> None:
    deliver(make.cloudevent("till.opened", data={"big": 12345678901234567890123, "cent": 0.1}))
    assert Event.objects.get().data == {"big": 12345678901234567890123, "cent": 0.1}


def test_an_event_without_a_time_happened_when_it_came(deliver: Deliver) -> None:
    deliver(make.cloudevent(time=None))
    assert Event.objects.get().time == NOW


class TestRefusals:
    """What is refused has left nothing behind."""

    def refused(
        self, door: Door, error: type[Exception], raw: bytes, headers: Any, at: datetime = NOW
    ) -> Any:
        with pytest.raises(error) as caught:
            actions.receive_webhook(token=door.row.token, headers=headers, body=raw, now=at)
        return caught.value

    def test_a_signature_of_another_secret(self, door: Door, nothing_happened: Callable[[], bool]) -> None:
        raw = make.body(make.cloudevent())
        other = make.endpoint()
        self.refused(door, SignatureWrong, raw, make.signed(raw, other.secret))
        assert nothing_happened()

    def test_no_signature(self, door: Door, nothing_happened: Callable[[], bool]) -> None:
        raw = make.body(make.cloudevent())
        whole = dict(make.signed(raw, door.secret))
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
            headers = {key: value for key, value in whole.items() if key != name}
            error = self.refused(door, SignatureMissing, raw, make.headers(headers))
            assert name in error.message
        assert nothing_happened()

    @pytest.mark.parametrize("seconds", [-301, 301])
    def test_a_stale_timestamp(self, door: Door, nothing_happened: Callable[[], bool], seconds: int) -> None:
        raw = make.body(make.cloudevent())
        headers = make.signed(raw, door.secret, at=NOW + timedelta(seconds=seconds))
        self.refused(door, TimestampStale, raw, headers)
        assert nothing_happened()

    @pytest.mark.parametrize("seconds", [-300, -299, 299, 300])
    def test_but_not_one_within_the_window(self, deliver: Deliver, seconds: int) -> None:
        assert deliver(make.cloudevent(), at=NOW + timedelta(seconds=seconds)).status == 202

    def test_a_wrong_media_type(self, door: Door, nothing_happened: Callable[[], bool]) -> None:
        raw = make.body(make.cloudevent())
        for content_type in ("application/json", "text/plain", "application/cloudevents+avro", ""):
            headers = make.signed(raw, door.secret, content_type=content_type)
            assert self.refused(door, WrongMediaType, raw, headers).status == 415
        assert nothing_happened()

    @pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"id":1,"id":2}', b"[NaN]", b"nothing"])
    def test_no_json(self, door: Door, nothing_happened: Callable[[], bool], raw: bytes) -> None:
        self.refused(door, Invalid, raw, make.signed(raw, door.secret))
        assert nothing_happened()

    def test_json_that_is_no_event(self, door: Door, nothing_happened: Callable[[], bool]) -> None:
        raw = make.body(make.cloudevent(type_=""))
        error = self.refused(door, NotAnEvent, raw, make.signed(raw, door.secret))
        assert error.fields == {"type": ["is missing"]}
        assert nothing_happened()

    def test_a_character_that_the_database_cannot_keep(
        self, door: Door, nothing_happened: Callable[[], bool]
    ) -> None:
        raw = make.body(make.cloudevent("till.opened", data={"note": "a\0b"}))
        error = self.refused(door, NotAnEvent, raw, make.signed(raw, door.secret))
        assert error.fields == {"data": ["holds the character U+0000, which cannot be kept"]}
        assert nothing_happened()

    def test_but_not_the_escaped_text_of_it(self, deliver: Deliver) -> None:
        deliver(make.cloudevent("till.opened", data={"note": "a\\u0000b"}))
        assert Event.objects.get().data == {"note": "a\\u0000b"}

    def test_a_body_that_is_too_large(self, door: Door, nothing_happened: Callable[[], bool]) -> None:
        raw = make.body(make.cloudevent(data=make.order(note="x" * 2_000)))
        with override_settings(WEBHOOK_MAX_BYTES=1_000):
            self.refused(door, TooLarge, raw, make.signed(raw, door.secret))
        assert nothing_happened()

    def test_too_many_events_at_once(self, door: Door, nothing_happened: Callable[[], bool]) -> None:
        raw = make.body([{}] * 1_001)
        headers = make.signed(raw, door.secret, content_type="application/cloudevents-batch+json")
        self.refused(door, Invalid, raw, headers)
        assert nothing_happened()

    def test_an_endpoint_that_does_not_exist(self, door: Door, nothing_happened: Callable[[], bool]) -> None:
        raw = make.body(make.cloudevent())
        with pytest.raises(EndpointUnknown):
            actions.receive_webhook(
                token="no-such-token", headers=make.signed(raw, door.secret), body=raw, now=NOW
            )
        assert nothing_happened()

    def test_an_endpoint_of_another_tenant(self, door: Door, other_tenant: TenantRef) -> None:
        raw = make.body(make.cloudevent())
        with context.enter(other_tenant):
            self.refused(door, EndpointUnknown, raw, make.signed(raw, door.secret))
            assert Event.objects.count() == 0

    def test_a_suspended_tenant(
        self, door: Door, tenant: TenantRef, nothing_happened: Callable[[], bool]
    ) -> None:
        raw = make.body(make.cloudevent())
        with context.enter(replace(tenant, state=TenantState.SUSPENDED)):
            self.refused(door, TenantSuspended, raw, make.signed(raw, door.secret))
        assert nothing_happened()

    def test_no_tenant_at_all(self, door: Door) -> None:
        raw = make.body(make.cloudevent())
        with context.leave():
            self.refused(door, NoTenant, raw, make.signed(raw, door.secret))

    def test_a_full_intake(self, door: Door, tenant: TenantRef, nothing_happened: Callable[[], bool]) -> None:
        raw = make.body(make.cloudevent())
        rows = [IntakeRow(tenant_id=tenant.id, event_id=ids.uuid7(), received_at=NOW) for _ in range(3)]
        IntakeRow.objects.bulk_create(rows)
        with override_settings(INTAKE_MOST=3):
            error = self.refused(door, IntakeFull, raw, make.signed(raw, door.secret))
        assert (error.status, error.retry_after) == (503, 5)
        assert (Event.objects.count(), IntakeRow.objects.count()) == (0, 3)


class TestSecrets:
    """A change of an endpoint works at the very next delivery, whatever a process remembers."""

    def test_both_secrets_count_while_the_sender_changes_over(self, door: Door) -> None:
        assert self.send(door, door.secret, NOW) == 202
        _, new = actions.rotate_endpoint_secret(endpoint=door.row, actor=make.BY, now=NOW)
        assert self.send(door, door.secret, NOW) == 202
        assert self.send(door, new, NOW) == 202
        almost = NOW + timedelta(hours=24) - timedelta(seconds=1)
        assert self.send(door, door.secret, almost) == 202
        with pytest.raises(SignatureWrong):
            self.send(door, door.secret, NOW + timedelta(hours=24))
        assert self.send(door, new, NOW + timedelta(hours=24)) == 202
        assert Event.objects.count() == 5

    def test_without_overlap_the_old_secret_is_dead_at_once(self, door: Door) -> None:
        self.send(door, door.secret, NOW)
        actions.rotate_endpoint_secret(endpoint=door.row, overlap=timedelta(0), actor=make.BY, now=NOW)
        with pytest.raises(SignatureWrong):
            self.send(door, door.secret, NOW)
        assert Event.objects.count() == 1

    def test_an_endpoint_that_was_switched_off_is_unknown_at_once(self, door: Door) -> None:
        self.send(door, door.secret, NOW)
        actions.set_endpoint_active(endpoint=door.row, active=False, actor=make.BY, now=NOW)
        with pytest.raises(EndpointUnknown):
            self.send(door, door.secret, NOW)
        actions.set_endpoint_active(endpoint=door.row, active=True, actor=make.BY, now=NOW)
        assert self.send(door, door.secret, NOW) == 202
        assert Event.objects.count() == 2

    def test_it_is_unknown_also_for_what_would_only_be_set_aside(self, door: Door) -> None:
        self.send(door, door.secret, NOW)
        actions.set_endpoint_active(endpoint=door.row, active=False, actor=make.BY, now=NOW)
        with pytest.raises(EndpointUnknown):
            self.send(door, door.secret, NOW, data={})
        assert Rejection.objects.count() == 0

    def test_the_hot_path_is_one_statement(self, door: Door, django_assert_num_queries: Any) -> None:
        self.send(door, door.secret, NOW)
        with django_assert_num_queries(0):  # through Django; the one statement goes past it
            self.send(door, door.secret, NOW)
        assert Event.objects.count() == 2

    def send(self, door: Door, secret: str, at: datetime, **changes: Any) -> int:
        raw = make.body(make.cloudevent(**changes))
        headers = make.signed(raw, secret, at=at)
        return actions.receive_webhook(token=door.row.token, headers=headers, body=raw, now=at).status


class TestSandbox:
    """A tenant on a clock of its own."""

    THEN = datetime(2017, 5, 1, tzinfo=UTC)

    @pytest.fixture
    def tenant(self, cast: Any) -> Any:
        Tenant.objects.filter(pk=cast.tenant.id).update(sandbox=True)
        advance_clock(tenant_id=cast.tenant.id, to=self.THEN, actor=system("test"), now=NOW)
        with context.enter(ref_of(Tenant.objects.get(pk=cast.tenant.id))) as ref:
            yield ref

    def test_an_event_comes_in_at_the_tenants_present(self, deliver: Deliver) -> None:
        deliver(make.cloudevent(time="2017-04-30T10:00:00Z"))
        assert Event.objects.get().received_at == self.THEN

    def test_or_when_it_says_it_happened_if_that_is_later(self, deliver: Deliver) -> None:
        deliver(make.cloudevent(time="2017-05-02T10:00:00Z"))
        at = datetime(2017, 5, 2, 10, tzinfo=UTC)
        assert Event.objects.get().received_at == at
        assert IntakeRow.objects.get().received_at == at

    def test_the_signature_is_checked_by_the_real_clock(
        self, deliver: Deliver, nothing_happened: Callable[[], bool]
    ) -> None:
        with pytest.raises(TimestampStale):
            deliver(make.cloudevent(), at=self.THEN)
        assert nothing_happened()

    def test_also_where_the_process_does_not_know_of_the_clock_yet(
        self, deliver: Deliver, tenant: TenantRef
    ) -> None:
        with context.enter(replace(tenant, virtual=False)):
            deliver(make.cloudevent(time="2017-04-30T10:00:00Z"))
        assert Event.objects.get().received_at == self.THEN


class TestShopify:
    """Deliveries whose signature covers the body alone."""

    @pytest.fixture
    def door(self, tenant: TenantRef) -> Door:
        return make.endpoint("shopify")

    BODY = {
        "id": 45,
        "order_number": 1001,
        "created_at": "2026-03-02T08:00:00+00:00",
        "updated_at": "2026-03-02T08:00:00+00:00",
        "currency": "EUR",
        "total_price": "19.90",
        "financial_status": "paid",
        "line_items": [{"id": 1, "sku": "A", "quantity": 1, "price": "19.90"}],
    }

    def send(self, door: Door, topic: str = "orders/create", key: str = "wh-1", **changes: Any) -> Receipt:
        raw = make.body({**self.BODY, **changes})
        headers = make.shopify_signed(raw, door.secret, topic, key)
        return actions.receive_webhook(token=door.row.token, headers=headers, body=raw, now=NOW)

    def test_an_order_becomes_a_canonical_event(self, door: Door) -> None:
        assert self.send(door).status == 202
        event = Event.objects.get()
        assert (event.type, event.subject, event.contract) == ("order.placed", "45", 1)
        assert (event.source, event.event_id) == (door.row.source, "wh-1")
        assert event.data["total_minor"] == 1_990

    def test_a_retry_is_a_replay(self, door: Door) -> None:
        self.send(door)
        assert self.send(door) == Receipt(status=200, duplicates=1)

    def test_the_same_signed_body_under_another_id_is_a_replay(self, door: Door) -> None:
        self.send(door)
        assert self.send(door, key="wh-2") == Receipt(status=200, duplicates=1)
        assert Event.objects.count() == 1

    def test_another_body_under_the_same_id_is_a_conflict(self, door: Door) -> None:
        self.send(door)
        assert self.send(door, total_price="20.00").status == 409
        assert Event.objects.get().data["total_minor"] == 1_990

    def test_a_topic_that_is_not_ours_is_ignored(
        self, door: Door, nothing_happened: Callable[[], bool]
    ) -> None:
        assert self.send(door, "themes/publish") == Receipt(status=200, ignored=True)
        assert nothing_happened()

    def test_nonsense_is_refused(self, door: Door, nothing_happened: Callable[[], bool]) -> None:
        with pytest.raises(Nonsense) as caught:
            self.send(door, line_items=None)
        assert caught.value.status == 400
        assert nothing_happened()

    def test_a_delivery_without_signature_is_refused(
        self, door: Door, nothing_happened: Callable[[], bool]
    ) -> None:
        raw = make.body(self.BODY)
        with pytest.raises(SignatureMissing):
            actions.receive_webhook(
                token=door.row.token,
                headers=make.headers({"X-Shopify-Topic": "orders/create"}),
                body=raw,
                now=NOW,
            )
        assert nothing_happened()


def test_taking_deliveries_in_writes_no_audit_of_its_own(deliver: Deliver) -> None:
    before = AuditEvent.objects.count()
    deliver(make.cloudevent())
    assert AuditEvent.objects.count() == before


def test_every_rejection_code_has_a_way_to_arise() -> None:
    assert {code.value for code in RejectionCode} == {
        "contract_broken",
        "not_an_event",
        "reserved",
        "id_reused",
        "handler_failed",
    }
