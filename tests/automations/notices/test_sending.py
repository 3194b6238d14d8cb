"""What goes out: mails to a real SMTP server, messages to a real HTTP server; tried again until they went."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from standardwebhooks import Webhook

from automations.inbox.models import Case
from automations.notices import actions
from automations.notices.actions import sending
from automations.notices.models import Channel, Message, Notice
from kernel import clock, jobs
from portal.ui import notice_mails
from tests.support.cast import NOW, Cast


class PostOffice:
    """Takes mails as it is told to: `says` holds the answers to the next ones."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.says: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        said = self.says.pop(0) if self.says else "250 OK"
        if said.startswith("250"):
            self.taken.append(message_from_bytes(envelope.content, policy=policy.default))
        return said


@pytest.fixture
def post(settings: Any) -> Iterator[PostOffice]:
    office = PostOffice()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(office, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    yield office
    server.stop()


class Room:
    """A system that is told: keeps what it gets, and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.says: list[int] = []


@pytest.fixture
def room(settings: Any) -> Iterator[tuple[Room, str]]:
    made = Room()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.got.append(({key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(made.says.pop(0) if made.says else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.EGRESS_ALLOW = frozenset({f"127.0.0.1:{server.server_port}"})
    yield made, f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()


def work(at: Any) -> None:
    """Send what is due at an instant, as the worker does."""
    with clock.hold(at):
        for row in Message.objects.filter(sent_at__isnull=True, given_up_at__isnull=True, send_at__lte=at):
            notice_mails.send(message=str(row.id))


def test_a_digest_goes_by_mail_in_the_partners_brand(
    bench: Any, cast: Cast, now: Any, post: PostOffice
) -> None:
    for number in range(3):
        bench.fail(order_id=str(number))
    work(NOW)
    assert post.taken == []
    work(NOW + timedelta(hours=23))
    mails = {one["To"]: one for one in post.taken}
    assert set(mails) == {f"{who}@cast.test" for who in ("owner", "manager", "reviewer", "colleague")}
    made = mails["reviewer@cast.test"]
    assert made["From"].startswith("Meridian Retail Systems <")
    assert made["Auto-Submitted"] == "auto-generated"
    text = made.get_body(("plain",)).get_content()
    html = made.get_body(("html",)).get_content()
    assert "3 of one cause" in text
    assert "style=" in html
    assert "<style" not in html
    assert f"http://{cast.host}" in html
    work(NOW + timedelta(hours=47))
    assert len(post.taken) == 4


def test_what_was_read_meanwhile_is_in_no_mail(bench: Any, cast: Cast, now: Any, post: PostOffice) -> None:
    bench.fail()
    actions.mark_read(user_id=cast.reviewer.id, keys=None, now=NOW)
    work(NOW + timedelta(hours=23))
    assert "reviewer@cast.test" not in [one["To"] for one in post.taken]


def test_a_mail_that_is_refused_is_tried_again_and_goes_once(
    bench: Any, cast: Cast, now: Any, post: PostOffice
) -> None:
    bench.fail()
    Message.objects.exclude(user_id=cast.reviewer.id).delete()
    post.says = ["451 not now", "451 not now"]
    at = NOW + timedelta(hours=23)
    work(at)
    row = Message.objects.get()
    assert (row.tries, row.sent_at, row.send_at) == (1, None, at + timedelta(seconds=sending.PAUSES[0]))
    assert "451" in row.error
    work(at + timedelta(seconds=1))
    assert Message.objects.get().tries == 1
    work(at + timedelta(seconds=6))
    work(at + timedelta(minutes=1))
    work(at + timedelta(hours=1))
    assert len(post.taken) == 1
    assert Notice.objects.get(user_id=cast.reviewer.id).mailed_at is not None


def test_two_workers_send_a_message_once(bench: Any, cast: Cast, now: Any, post: PostOffice) -> None:
    bench.fail()
    row, at = Message.objects.filter(user_id=cast.reviewer.id).get(), NOW + timedelta(hours=23)
    assert sending.claim(message_id=row.id, now=at) is not None
    assert sending.claim(message_id=row.id, now=at) is None
    assert sending.claim(message_id=row.id, now=at + timedelta(minutes=3)) is not None, "its worker died"


def _channel(cast: Cast, kind: str, address: str, **more: Any) -> tuple[Channel, str]:
    return actions.create_channel(
        name=kind, kind=kind, address=address, actor=cast.actor(cast.owner), now=NOW, **more
    )


def test_a_webhook_is_signed_and_told_what_it_needs_and_no_more(
    bench: Any, cast: Cast, now: Any, room: tuple[Room, str]
) -> None:
    made, address = room
    row, secret = _channel(cast, "webhook", address)
    bench.fail(customer={"email": "ann@example.com"})
    work(clock.now())
    headers, body = made.got[0]
    signed = Webhook(secret).sign(headers["webhook-id"], NOW, body.decode())
    assert headers["webhook-signature"] == signed
    told, case = json.loads(body), Case.objects.get()
    assert told["type"] == "notice.case_opened"
    assert told["data"]["code"] == case.code
    assert told["data"]["url"].endswith(f"/inbox/{case.public_id}/")
    assert b"ann@example.com" not in body
    assert Channel.objects.get(pk=row.pk).sent_at is not None


def test_slack_and_teams_get_text_that_mentions_and_links_nobody(
    bench: Any, cast: Cast, now: Any, room: tuple[Room, str]
) -> None:
    made, address = room
    for kind in ("slack", "teams"):
        row, _ = _channel(cast, kind, address)
        sending.owe(
            key=kind,
            channel=row,
            body={"code": "EX-1", "title": "<!channel> <http://evil|x> **b**", "case": "", "count": 1},
            at=NOW,
            now=NOW,
        )
    work(NOW)
    told = [json.loads(body) for _headers, body in made.got]
    slack, teams = sorted(told, key=lambda one: "text" not in one)
    assert "&lt;!channel&gt;" in slack["text"]
    assert "<!channel>" not in slack["text"]
    card = teams["attachments"][0]["content"]
    assert card["body"][0]["type"] == "RichTextBlock"
    assert card["actions"][0]["url"].startswith("http://")


def test_a_channel_that_is_down_is_tried_by_schedule_with_one_key_and_then_given_up(
    bench: Any, cast: Cast, now: Any, room: tuple[Room, str]
) -> None:
    made, address = room
    row, _ = _channel(cast, "webhook", address)
    made.says = [500] * 50
    actions.try_channel(channel=row, actor=cast.actor(cast.owner), now=NOW)
    at = NOW
    for pause in (*sending.PAUSES, 0):
        work(at)
        at += timedelta(seconds=pause)
    message = Message.objects.get(channel=row)
    assert (message.tries, message.given_up_at is not None) == (len(sending.PAUSES) + 1, True)
    assert len({headers["webhook-id"] for headers, _body in made.got}) == 1
    down = Channel.objects.get(pk=row.pk)
    assert (down.failing_since, "500" in down.error) == (NOW, True)
    made.says = []
    actions.try_channel(channel=row, actor=cast.actor(cast.owner), now=at)
    work(at)
    assert Channel.objects.get(pk=row.pk).failing_since is None


def test_an_address_inside_is_refused_when_made(cast: Cast, tenant: Any, now: Any) -> None:
    from kernel.errors import Invalid

    for address in ("http://127.0.0.1:1/x", "http://169.254.169.254/", "ftp://a.example.com", "x"):
        with pytest.raises(Invalid) as refused:
            _channel(cast, "slack", address)
        assert "address" in refused.value.fields


def test_an_address_is_kept_sealed_and_shown_to_nobody(
    cast: Cast, tenant: Any, now: Any, client_for: Callable[..., Any]
) -> None:
    row, _ = _channel(cast, "slack", "https://hooks.example.com/services/T0/SECRETPART")
    assert b"SECRETPART" not in bytes(Channel.objects.get(pk=row.pk).address)


def test_the_dispatcher_finds_what_waits_in_every_tenant(bench: Any, cast: Cast, now: Any) -> None:
    from automations.notices import queries

    bench.fail()
    due = list(queries.waiting(NOW + timedelta(hours=23)))
    assert {one["tenant"] for one in due} == {cast.tenant.id}
    assert len(due) == 4
    assert list(queries.waiting(NOW)) == []
    assert "notices.send" in jobs.registry
