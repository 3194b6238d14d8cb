"""A29: headers of a step that would change what request it is."""

import pytest

from kernel.http import EgressRefused, check_headers

FORGED = [
    (name, "x")
    for name in (
        "Host", "host", "Content-Length", "Transfer-Encoding", "TE", "Connection", "Keep-Alive", "Upgrade", "Trailer", "Expect",
        "Proxy-Authorization", "Proxy-Connection", "PROXY-X", "X A", "", "X:A", "X\r\nY", "X\x00", "X(", "Ü", " Host", "Host ", "\tHost",
    )
]  # fmt: skip
FORGED += [
    ("X-A", value)
    for value in (
        "a\r\nX-B: b",
        "a\nb",
        "a\rb",
        "a\x00",
        "\x1b[31m",
        "a\x7f",
        "a\u2028b",
        "ÿ\u0100",
        "a\r\n b",
    )
]


@pytest.mark.parametrize(("name", "value"), FORGED)
def test_a_header_that_could_forge_a_request_is_refused(name: str, value: str) -> None:
    with pytest.raises(EgressRefused):
        check_headers({"Accept": "*/*", name: value})


def test_honest_headers_pass() -> None:
    given = {"X-Shop": "harbour", "Authorization": "Bearer x", "If-Match": '"1"', "X-Latin": "caf\xe9"}
    assert check_headers(given) == given
