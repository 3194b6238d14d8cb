"""A30: answers that drip, never end, or grow when they are unpacked."""

import resource
import socket
import time
from collections.abc import Iterator

import pytest

from kernel.http import NoAnswer
from tests.attack.hostile_site import ask, hostile_site


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with hostile_site() as found:
        yield found


@pytest.mark.parametrize("path", ["/gzip", "/deflate", "/br", "/long", "/endless"])
def test_an_answer_is_taken_up_to_a_limit_after_decompression(port: int, path: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(NoAnswer, match=r"bytes|broke off"):
        ask(port, path, seconds=10)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000, f"{grown} KB more than before"


@pytest.mark.parametrize("path", ["/headers", "/wide"])
def test_endless_headers_are_not_read_to_the_end(port: int, path: str) -> None:
    began = time.monotonic()
    with pytest.raises(NoAnswer):
        ask(port, path, seconds=10)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("path", ["/drip", "/hang"])
def test_an_answer_that_does_not_come_is_no_answer(port: int, path: str) -> None:
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="within"):
        ask(port, path, seconds=0.5)
    assert time.monotonic() - began < 2


def test_nobody_there_is_no_answer() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(NoAnswer, match="no connection"):
        ask(port, "/")
