"""The express lane takes plain deliveries in without Django; whatever is not plain goes the long way, with the same body."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from django.db import connection
from django.test import Client

from automations.events import actions, policy
from automations.events.models import Event
from automations.ledger.models import IntakeRow
from kernel import clock
from kernel.actor import system
from portal.letterbox import Letterbox, Message, Receive, Scope, Send
from tenants.tenancy.queries import TenantRef
from tests.support import make
from tests.support.cast import Cast
from tests.support.make import Door

Answer = TypeVar("Answer")
BY = system("test")


@dataclass
class Street:
    """Senders before a letterbox: what they post, and what Django got to see of it."""

    host: str
    client: Client
    seen: list[bytes] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    async def django(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is behind the letterbox: the same as in the product, in this thread's connection."""
        message = await receive()
        self.seen.append(message.get("body", b""))
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        response = await asyncio.to_thread(
            self.client.generic,
            scope["method"],
            scope["path"],
            message.get("body", b""),
            content_type=headers.pop("content-type", ""),
            headers={
                name: value for name, value in headers.items() if name not in ("host", "content-length")
            },
        )
        await send({"type": "http.response.start", "status": response.status_code, "headers": []})
        await send({"type": "http.response.body", "body": response.content})

    async def post(
        self,
        box: Letterbox,
        path: str,
        raw: bytes,
        headers: Mapping[str, str],
        changes: Mapping[str, Any] | None = None,
    ) -> tuple[int, Any]:
        """(status, answer) of one delivery."""
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        pairs += [(b"host", self.host.encode()), (b"content-length", str(len(raw)).encode())]
        scope = {"type": "http", "method": "POST", "path": path, "headers": pairs, **(changes or {})}
        messages: list[Message] = [{"type": "http.request", "body": raw, "more_body": False}]
        answers: list[Message] = []

        async def receive() -> Message:
            return messages.pop() if messages else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            answers.append(message)

        await box(scope, receive, send)
        return answers[0]["status"], json.loads(answers[1]["body"] or b"null")


@pytest.fixture
def street(committed: Any, cast: Cast, client_for: Callable[..., Client]) -> Street:
    policy.forget()
    return Street(cast.host, client_for(None, cast.host))


@pytest.fixture
def door(street: Street, tenant: TenantRef) -> Door:
    return make.endpoint()


def run(street: Street, work: Callable[[Letterbox], Awaitable[Answer]]) -> Answer:
    """What comes of `work` with a letterbox of its own."""

    async def whole() -> Answer:
        box = Letterbox(street.django)
        try:
            return await work(box)
        finally:
            await box.close()

    return asyncio.run(whole())


def delivery(door: Door, number: str, **changes: Any) -> tuple[str, bytes, Mapping[str, str]]:
    raw = make.body({**make.cloudevent(), "id": number, **changes})
    return door.path, raw, make.signed(raw, door.secret, at=clock.now(), key=f"msg_{number}")


def test_the_first_goes_the_long_way_and_the_next_do_not(street: Street, door: Door) -> None:
    async def work(box: Letterbox) -> list[tuple[int, Any]]:
        return [await street.post(box, *delivery(door, f"e{n}")) for n in range(3)]

    answers = run(street, work)
    assert len(street.seen) == 1
    assert [status for status, _ in answers] == [202, 202, 202]
    assert [sorted(body) for _, body in answers] == [sorted(answers[0][1])] * 3
    keys = [body["ids"] for _, body in answers]
    assert keys == [[row.public_id] for row in Event.objects.order_by("id")]
    assert IntakeRow.objects.count() == 3
    long, short = Event.objects.order_by("id")[:2]
    for name in ("source", "type", "subject", "data", "extensions", "contract", "endpoint_id", "internal"):
        assert getattr(long, name) == getattr(short, name), name


def test_many_at_once_share_a_transaction(street: Street, door: Door) -> None:
    async def work(box: Letterbox) -> list[tuple[int, Any]]:
        await street.post(box, *delivery(door, "first"))
        posts = (street.post(box, *delivery(door, f"e{n}")) for n in range(40))
        return await asyncio.gather(*posts)

    assert {status for status, _ in run(street, work)} == {202}
    assert len(street.seen) == 1
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(distinct xmin::text), count(*) from events_event where event_id <> 'first'"
        )
        transactions, events = cursor.fetchone()
    assert (events, transactions <= 3) == (40, True)


def test_a_duplicate_is_told_from_a_reused_id(street: Street, door: Door) -> None:
    async def work(box: Letterbox) -> list[tuple[int, Any]]:
        await street.post(box, *delivery(door, "first"))
        same = delivery(door, "e1")
        other = delivery(door, "e1", subject="another")
        return [await street.post(box, *one) for one in (same, same, other)]

    answers = run(street, work)
    assert [status for status, _ in answers] == [202, 200, 409]
    assert Event.objects.count() == 2


def test_of_twins_that_come_together_one_is_new(street: Street, door: Door) -> None:
    async def work(box: Letterbox) -> list[tuple[int, Any]]:
        await street.post(box, *delivery(door, "first"))
        same = delivery(door, "e1")
        return await asyncio.gather(*(street.post(box, *same) for _ in range(4)))

    assert sorted(status for status, _ in run(street, work)) == [200, 200, 200, 202]
    assert Event.objects.filter(event_id="e1").count() == 1


@pytest.mark.parametrize("change", ["switched off", "secret replaced", "full"])
def test_what_has_changed_since_counts_at_once(
    street: Street, door: Door, change: str, settings: Any
) -> None:
    def act() -> None:
        now = clock.now()
        if change == "switched off":
            actions.set_endpoint_active(endpoint=door.row, active=False, actor=BY, now=now)
        elif change == "secret replaced":
            for _ in range(2):  # the one before goes on to count for a while
                actions.rotate_endpoint_secret(endpoint=door.row, actor=BY, now=now)
        else:
            settings.INTAKE_MOST = 1
            policy._counted.clear()

    async def work(box: Letterbox) -> tuple[int, Any]:
        await street.post(box, *delivery(door, "first"))
        act_now = asyncio.get_running_loop().run_in_executor(None, in_tenant, act)
        await act_now
        return await street.post(box, *delivery(door, "e1"))

    in_tenant = _entered(door)
    status, _ = run(street, work)
    assert status == {"switched off": 404, "secret replaced": 401, "full": 503}[change]
    assert list(Event.objects.values_list("event_id", flat=True)) == ["first"]


def _entered(door: Door) -> Callable[[Callable[[], None]], None]:
    from tenants.tenancy import context

    tenant = context.current()

    def inside(act: Callable[[], None]) -> None:
        try:
            with context.enter(tenant):
                act()
        finally:
            connection.close()

    return inside


def test_a_database_that_went_away_costs_no_delivery(street: Street, door: Door) -> None:
    def cut() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                " where application_name = 'portal-letterbox' and datname = current_database()"
            )
            assert cursor.fetchone() == (1,)
        connection.close()

    async def work(box: Letterbox) -> list[tuple[int, Any]]:
        await street.post(box, *delivery(door, "first"))
        answers = [await street.post(box, *delivery(door, "e1"))]
        await asyncio.to_thread(cut)
        return answers + [await street.post(box, *delivery(door, f"e{n}")) for n in (2, 3)]

    assert [status for status, _ in run(street, work)] == [202, 202, 202]
    assert len(street.seen) == 2  # the first, and the one that found the connection cut
    assert Event.objects.count() == 4


def test_what_is_not_plain_is_behinds_whole(street: Street, door: Door) -> None:
    path, raw, headers = delivery(door, "e1")
    twice = [(b"host", street.host.encode()), (b"host", b"other.example"), (b"content-length", b"2")]
    large = make.body({**make.cloudevent(), "data": {"x": "y" * actions.BYTES_MOST}})

    async def work(box: Letterbox) -> None:
        await street.post(box, *delivery(door, "first"))
        for changes in ({"headers": twice}, {"method": "GET"}, {"path": "/hooks/"}, {"path": "/hooks/a/b"}):
            await street.post(box, path, raw, headers, changes)
        await street.post(box, path, large, make.signed(large, door.secret, at=clock.now()))
        await street.post(box, path, raw[:-1], headers)
        await street.post(box, path, raw, {**headers, "webhook-timestamp": "1"})
        old = make.signed(raw, door.secret, at=clock.now() - timedelta(hours=1))
        await street.post(box, path, raw, old)

    run(street, work)
    assert street.seen == [street.seen[0], raw, raw, raw, raw, large, raw[:-1], raw, raw]


def test_a_sender_that_goes_in_the_middle_leaves_nothing(street: Street, door: Door) -> None:
    path, raw, _ = delivery(door, "e1")
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": [(b"host", street.host.encode()), (b"content-length", str(len(raw)).encode())],
    }
    messages = [{"type": "http.disconnect"}, {"type": "http.request", "body": raw[:10], "more_body": True}]

    async def receive() -> Message:
        return messages.pop()

    async def send(message: Message) -> None:
        raise AssertionError(message)

    run(street, lambda box: box(scope, receive, send))
    assert (street.seen, Event.objects.count()) == ([], 0)


@pytest.mark.filterwarnings("ignore:No directory at")
@pytest.mark.parametrize("query", [b"q=\xff\xfe", b"q=a%20b", "q=größe".encode()])
def test_a_query_of_any_bytes_gets_an_answer(street: Street, query: bytes) -> None:
    assert asked(street, "GET", "/health", b"", query)[0]["status"] == 200


@pytest.mark.filterwarnings("ignore:No directory at")
def test_django_gets_a_body_from_a_server_whose_receive_is_no_coroutine(street: Street, door: Door) -> None:
    first, second, *_ = asked(street, "POST", door.path, b"{}")
    assert (first["status"], json.loads(second["body"])["code"]) == (401, "signature_missing")


def asked(street: Street, method: str, path: str, body: bytes, query: bytes = b"") -> list[Message]:
    """What the product's application answers; the server is like the one in use."""
    from portal.asgi import application  # sets up a Django of its own

    answers: list[Message] = []

    def receive() -> Awaitable[Message]:
        found: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        found.set_result({"type": "http.request", "body": body, "more_body": False})
        return found

    async def send(message: Message) -> None:
        answers.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query,
        "http_version": "1.1",
        "headers": [(b"host", street.host.encode()), (b"content-length", str(len(body)).encode())],
    }
    asyncio.run(application(scope, receive, send))
    return answers
