"""Streams: every event, in order, at least once, through failures, outages and deliverers that die."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from standardwebhooks import Webhook

from kernel import clock, http, ids, proof
from kernel.actor import Actor
from kernel.errors import Forbidden, Invalid
from tenants.audit import actions, queries
from tenants.audit.actions import streaming
from tenants.audit.models import AuditEvent, AuditLeaf, AuditStream
from tenants.tenancy import context, tasks
from tenants.tenancy.queries import TenantRef
from tests.support.cast import NOW, Cast

BY = Actor(kind="user", id=ids.uuid7(), label="Orla", permissions=frozenset({"audit.stream"}))
URL = "https://siem.example.com/audit"


class Sink:
    """A receiver in place of the network: keeps what it takes, and does as it is told."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.raw: list[bytes] = []
        self.says: list[int | Exception] = []

    def fetch(
        self, method: str, url: str, egress: Any, *, headers: Any, body: bytes, seconds: float
    ) -> http.Answer:
        said = self.says.pop(0) if self.says else 200
        if isinstance(said, Exception):
            raise said
        if said < 300:
            self.bodies.append(json.loads(body))
            self.raw.append(body)
            self.headers.append(headers)
        return http.Answer(said, {}, b"")

    @property
    def seqs(self) -> list[int]:
        return [one["event"]["seq"] for body in self.bodies for one in body["events"]]


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Sink:
    made = Sink()
    monkeypatch.setattr(streaming.http, "fetch", made.fetch)
    return made


def act(count: int = 1, **more: Any) -> None:
    with transaction.atomic():
        for number in range(count):
            actions.record(
                actor=BY, action="test.note", obj=("thing", f"t-{number}", "T"), now=clock.now(), **more
            )


def seal() -> None:
    while actions.seal(now=clock.now()):
        continue


def stream(**more: Any) -> AuditStream:
    given = {"name": "SIEM", "kind": "webhook", "address": URL, "actor": BY, "now": NOW, **more}
    return actions.create_stream(**given)[0]


def due_now() -> None:
    with connection.cursor() as cursor:
        cursor.execute("update public.audit_owed set due_at = clock_timestamp() - interval '1 s'")


def deliver(row: AuditStream) -> int:
    due_now()
    return actions.deliver(stream_id=row.id, now=clock.now())


def test_everything_goes_out_in_order_and_proves_itself(tenant: TenantRef, now: object, sink: Sink) -> None:
    row = stream(from_start=True)
    act(450)
    seal()
    size = AuditLeaf.objects.count()
    assert deliver(row) == size
    assert sink.seqs == list(range(size))
    assert [body["previous"] for body in sink.bodies] == [-1, 199, 399]
    lines = [
        b"%b\n"
        % json.dumps({"audit_export": 1, "origin": sink.bodies[-1]["checkpoint"].split("\n")[0]}).encode()
    ]
    for raw in sink.raw:
        events = raw[raw.index(b'"events":[') + 10 : -2]
        lines += [b'{"event":' + one + b"\n" for one in events.split(b'{"event":')[1:]]
    lines = [line.replace(b"},\n", b"}\n") for line in lines]
    lines.append(json.dumps({"checkpoint": sink.bodies[-1]["checkpoint"]}).encode())
    report = proof.verify(lines, actions.verifying_keys(), complete=True)
    assert (report.ok, report.findings, report.events) == (True, [], size)


def test_what_a_webhook_gets_is_signed(tenant: TenantRef, now: object, sink: Sink) -> None:
    row, secret = actions.create_stream(name="SIEM", kind="webhook", address=URL, actor=BY, now=NOW)
    act()
    seal()
    assert deliver(row) > 0
    headers = sink.headers[0]
    expected = Webhook(secret).sign(headers["webhook-id"], NOW, sink.raw[0].decode())
    assert headers["webhook-signature"] == expected
    row.refresh_from_db()
    assert secret.encode() not in bytes(row.secret or b"")
    assert secret not in str(list(AuditEvent.objects.values()))


def test_it_begins_with_what_comes_next(tenant: TenantRef, now: object, sink: Sink) -> None:
    act(5)
    seal()
    row = stream()
    seal()
    act(2)
    seal()
    deliver(row)
    told = [one["event"]["action"] for body in sink.bodies for one in body["events"]]
    assert told == ["audit.create_stream", "test.note", "test.note"]


def test_an_outage_loses_nothing_and_repeats_nothing_that_was_taken(
    tenant: TenantRef, now: object, sink: Sink
) -> None:
    row = stream(from_start=True)
    failures: list[int | Exception] = [500, http.NoAnswer("gone"), 503, 404, 302]
    for number, failure in enumerate(failures):
        act(3)
        seal()
        sink.says = [failure]
        assert deliver(row) == 0
        row.refresh_from_db()
        assert (row.attempts, row.failing_since) == (number + 1, NOW)
        assert row.next_try_at is not None
        assert row.next_try_at - NOW == timedelta(seconds=min(5 * 4**number, 3600))
    assert row.error
    assert actions.deliver(stream_id=row.id, now=NOW) == 0, "it waits"
    deliver(row)
    row.refresh_from_db()
    assert (row.attempts, row.failing_since, row.error) == (0, None, "")
    assert sink.seqs == list(range(AuditLeaf.objects.count()))


def test_it_is_tried_at_least_once_an_hour_for_ever(tenant: TenantRef, now: object, sink: Sink) -> None:
    row = stream(from_start=True)
    seal()
    AuditStream.objects.update(attempts=500)
    sink.says = [500]
    deliver(row)
    row.refresh_from_db()
    assert row.next_try_at == NOW + timedelta(hours=1)


def test_a_deliverer_that_dies_after_sending_sends_again_and_leaves_no_gap(
    tenant: TenantRef, now: object, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = stream(from_start=True)
    act(250)
    seal()

    def dies(*_: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(streaming, "_sent", dies)
        with pytest.raises(KeyboardInterrupt):
            deliver(row)
    assert actions.deliver(stream_id=row.id, now=NOW) == 0, "its lease holds for a minute"
    deliver(row)
    size = AuditLeaf.objects.count()
    assert sink.seqs == [*range(200), *range(size)]
    assert sink.headers[0]["webhook-id"] == sink.headers[1]["webhook-id"], "a receiver can tell"


def test_two_deliverers_are_one(committed: Any, cast: Cast, sink: Sink) -> None:
    with context.enter(cast.tenant):
        row = stream(from_start=True)
        act(900)
        seal()
        due_now()

    def work() -> None:
        try:
            with context.enter(cast.tenant):
                actions.deliver(stream_id=row.id, now=clock.now())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with context.enter(cast.tenant):
        assert sink.seqs == list(range(AuditLeaf.objects.count()))


def test_the_dispatcher_knows_who_is_owed_until_nobody_is(committed: Any, cast: Cast, sink: Sink) -> None:
    with context.enter(cast.tenant):
        row = stream(from_start=True)
        act(3)
        seal()
    assert {"tenant": cast.tenant.id, "stream": row.id} in list(tasks._owed())
    with context.enter(cast.tenant):
        tasks.stream(stream=str(row.id))
    assert list(tasks._owed()) == []
    with context.enter(cast.tenant):
        act()
        seal()
    assert [one["stream"] for one in tasks._owed()] == [row.id]


def test_what_is_sealed_while_it_finishes_is_not_forgotten(
    tenant: TenantRef, now: object, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = stream(from_start=True)
    seal()
    real, done = streaming._next_batch, []

    def late(one: AuditStream) -> Any:
        found = real(one)
        if found is None and not done:
            done.append(1)
            act()
            seal()
        return found

    monkeypatch.setattr(streaming, "_next_batch", late)
    deliver(row)
    assert [one for _, one in queries.owed_streams()] == [row.id]


def test_a_partner_is_sent_its_own_acts_with_their_numbers(cast: Cast, now: object, sink: Sink) -> None:
    seal()
    row = stream(partner_id=cast.partner.id)
    for partner in (cast.partner.id, cast.other_partner.id, cast.partner.id):
        act(partner_id=partner)
    seal()
    deliver(row)
    events = [one["event"] for body in sink.bodies for one in body["events"]]
    assert {one["partner_id"] for one in events} == {str(cast.partner.id)}
    assert len(events) == 3
    row.refresh_from_db()
    assert row.position == AuditLeaf.objects.count()


def test_a_stream_that_is_stopped_goes_on_where_it_was(tenant: TenantRef, now: object, sink: Sink) -> None:
    row = stream(from_start=True)
    seal()
    deliver(row)
    before = len(sink.seqs)
    actions.set_stream_active(stream=row, active=False, actor=BY, now=NOW)
    act(3)
    seal()
    assert deliver(row) == 0
    actions.set_stream_active(stream=row, active=True, actor=BY, now=NOW)
    seal()
    deliver(row)
    assert sink.seqs == list(range(AuditLeaf.objects.count()))
    assert len(sink.seqs) == before + 5
    actions.delete_stream(stream=row, actor=BY, now=NOW)
    assert queries.owed_streams() == []
    told = AuditEvent.objects.filter(action__endswith="_stream").order_by("at", "id")
    assert [one.action for one in told] == ["audit.create_stream", "audit.delete_stream"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"kind": "pigeon"}, "kind"),
        ({"address": "ftp://x"}, "address"),
        ({"address": "https://127.0.0.1/x"}, "address"),
        ({"address": "https://user:pw@siem.example.com"}, "address"),
        ({"kind": "syslog", "address": "siem.example.com:6514"}, "address"),
        ({"kind": "syslog", "address": "tcp://siem.example.com:22"}, "address"),
        ({"address": f"https://siem.example.com/{'x' * 500}"}, "address"),
    ],
)
def test_what_is_wrong_is_named(tenant: TenantRef, given: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        stream(**given)
    assert set(refused.value.fields) == {field}
    assert not AuditStream.objects.exists()


def test_a_name_is_given_once_and_not_by_everybody(tenant: TenantRef) -> None:
    stream()
    with pytest.raises(Invalid), transaction.atomic():
        stream()
    nobody = Actor(kind="user", id=None, label="X", permissions=frozenset({"audit.read"}))
    for does in (
        lambda: stream(name="other", actor=nobody),
        lambda: actions.set_stream_active(
            stream=AuditStream.objects.get(), active=False, actor=nobody, now=NOW
        ),
        lambda: actions.delete_stream(stream=AuditStream.objects.get(), actor=nobody, now=NOW),
    ):
        with pytest.raises(Forbidden):
            does()


@pytest.fixture
def syslog_server(settings: Any) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """(address, what it was sent): a syslog server of the plainest kind."""
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    settings.EGRESS_ALLOW = frozenset({f"127.0.0.1:{port}"})
    taken: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line:
                while part := line.recv(65_536):
                    taken.append(part)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"tcp://127.0.0.1:{port}", lambda: b"".join(taken)
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def test_syslog_gets_messages_of_rfc_5424(
    tenant: TenantRef, now: object, syslog_server: tuple[str, Callable[[], bytes]]
) -> None:
    address, taken = syslog_server
    row = stream(kind="syslog", address=address, from_start=True)
    assert row.secret is None
    act(20, reason="Größe\nline two")
    seal()
    size = AuditLeaf.objects.count()
    assert deliver(row) == size
    raw, messages = taken(), []
    while raw:
        length, _, rest = raw.partition(b" ")
        messages.append(rest[: int(length)])
        raw = rest[int(length) :]
    assert len(messages) == size
    head, _, body = messages[-1].partition(b" {")
    assert head == b"<110>1 2026-03-02T09:30:00.000Z localhost portal - audit -"
    last = json.loads(b"{" + body)
    assert (last["event"]["seq"], last["private"]["reason"]) == (size - 1, "Größe\nline two")
    assert b"\n" not in messages[-1]


def test_a_syslog_server_that_is_away_is_tried_again(tenant: TenantRef, now: object, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings.EGRESS_ALLOW = frozenset({f"127.0.0.1:{port}"})
    row = stream(kind="syslog", address=f"tcp://127.0.0.1:{port}", from_start=True)
    seal()
    assert deliver(row) == 0
    row.refresh_from_db()
    assert row.attempts == 1
    assert "did not take it" in row.error
