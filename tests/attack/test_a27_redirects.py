"""A27: a redirect that leads inside, drops to http, or takes credentials along."""

import asyncio
from collections.abc import Iterator

import pytest

from automations.engine.executors import http
from automations.engine.executors.http import Signed
from automations.engine.machine.moves import Effect, Outcome
from kernel.http import Answer, Client, Egress
from tests.attack.hostile_site import INSIDE, ask, hostile_site

KINDS = (301, 302, 303, 307, 308)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with hostile_site() as found:
        yield found


def _send(port: int, path: str, *, follow: bool, signed: Signed | None = None) -> Outcome:
    request = {"method": "GET", "uri": path, "headers": {}, "redirect": follow}
    if signed is None:
        request["uri"] = f"http://127.0.0.1:{port}{path}"

    async def go() -> Outcome:
        client = Client(Egress(allowed=frozenset({f"127.0.0.1:{port}"})))
        try:
            return await http.send(client, Effect("0", "k", "/do/0/a", "http", request), signed)
        finally:
            await client.close()

    return asyncio.run(go())


@pytest.mark.parametrize("kind", KINDS)
def test_a_redirect_is_handed_back_and_not_followed(port: int, kind: int) -> None:
    answer = ask(port, f"/{kind}")
    assert (answer.status, answer.headers["location"]) == (kind, INSIDE)
    assert _send(port, f"/{kind}", follow=False).status == kind


@pytest.mark.parametrize("kind", KINDS)
def test_where_a_step_follows_it_the_address_is_checked_again(port: int, kind: int) -> None:
    outcome = _send(port, f"/{kind}", follow=True)
    assert "redirect" in outcome.refused or "private" in outcome.refused
    assert outcome.status in (None, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_does_not_follow_to_another_host(port: int, kind: int) -> None:
    signed = Signed(f"http://127.0.0.1:{port}/", {"Authorization": "Bearer the key"})
    assert _send(port, f"/{kind}", follow=True, signed=signed).refused


def test_a_redirect_does_not_leave_https() -> None:
    """A step that began in private does not go on in public, whoever asks for it."""

    class Sends302:
        async def send(self, _method: str, uri: str, **_: object) -> Answer:
            assert uri.startswith("https://"), "it was followed"
            return Answer(302, {"location": "http://shop.example.com/api"}, b"")

    request = {"method": "GET", "uri": "https://shop.example.com/api", "headers": {}, "redirect": True}
    outcome = asyncio.run(http.send(Sends302(), Effect("0", "k", "/do/0/a", "http", request), None))  # type: ignore[arg-type] # all that it is asked for
    assert "leaves https" in outcome.refused
