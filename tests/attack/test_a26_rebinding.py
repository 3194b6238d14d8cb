"""A26: names that answer with an inside address among others, or another one each time."""

import asyncio
import socket
from typing import Any

import pytest

from kernel import syslog
from kernel.http import Client, Egress, EgressRefused, NoAnswer

PUBLIC, INSIDE = "93.184.216.34", "10.0.0.5"


def _records(*addresses: str) -> list[tuple[Any, ...]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]


async def _called(monkeypatch: pytest.MonkeyPatch, answers: list[list[tuple[Any, ...]]]) -> list[Any]:
    """The addresses to which a client connects, where a name answers so, one time after another."""
    loop, connected = asyncio.get_running_loop(), []

    async def resolve(*_: object, **__: object) -> list[tuple[Any, ...]]:
        return answers.pop(0)

    async def note(_loop: object, _sock: object, address: Any) -> None:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(loop, "getaddrinfo", resolve, raising=False)
    monkeypatch.setattr(asyncio.selector_events.BaseSelectorEventLoop, "sock_connect", note)
    client = Client(Egress())
    try:
        await client.send("GET", "http://rebound.example/", headers={}, seconds=2)
    except NoAnswer:
        return connected
    finally:
        await client.close()
    raise AssertionError("it was answered")


@pytest.mark.parametrize(
    "records", [(PUBLIC, INSIDE), (INSIDE, PUBLIC), (INSIDE,), (PUBLIC, PUBLIC, "127.0.0.1")]
)
def test_one_inside_address_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch, records: tuple[str, ...]
) -> None:
    with pytest.raises(EgressRefused, match="private"):
        asyncio.run(_called(monkeypatch, [_records(*records)]))


def test_the_checked_address_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that changes its mind between check and call gains nothing: it is asked once."""
    answers = [_records(PUBLIC), _records(INSIDE)]
    assert asyncio.run(_called(monkeypatch, answers)) == [PUBLIC]
    assert answers == [_records(INSIDE)], "the name was asked again"


def test_the_next_call_asks_and_checks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def twice() -> None:
        answers = [_records(PUBLIC), _records(INSIDE)]
        assert await _called(monkeypatch, answers) == [PUBLIC]
        with pytest.raises(EgressRefused):
            await _called(monkeypatch, answers)

    asyncio.run(twice())


def test_syslog_checks_all_answers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: _records(PUBLIC, INSIDE))
    with pytest.raises(EgressRefused, match="private"):
        syslog.send("tcp://rebound.example:514", [b"x"], Egress())
