"""Requests that schemathesis makes of the OpenAPI documents: what these allow, and what they do not."""

from collections.abc import Iterator
from typing import Any, Final

import schemathesis
from hypothesis import given, seed
from hypothesis import settings as hypothesis_settings
from schemathesis import GenerationMode

from kernel import jsonx
from portal.api.document import ADDRESSES
from tests.fuzz.asked import Asked, encoded, quoted
from tests.fuzz.running import ONCE, Sender
from tests.house.ground import CALLERS
from tests.house.routes import ROUTES
from tests.portal.api import contract

_MODES: Final = (GenerationMode.NEGATIVE, GenerationMode.POSITIVE)
_CALLERS: Final = {"tenant": "token", "partner": "console_token"}


def operations() -> Iterator[tuple[str, Any]]:
    """(kind of host, operation) of all documents."""
    for kind in ADDRESSES:
        whole = schemathesis.openapi.from_dict(contract.the(kind))
        for found in whole.get_all_operations():
            yield kind, found.ok()


def fuzz(sender: Sender, count: int, number: int) -> None:
    """Send about `count` requests, alike many of each operation, made from the seed `number`."""
    found = list(operations())
    each = max(1, count // (len(found) * len(_MODES)))
    for kind, operation in found:
        for mode in _MODES:
            _some(sender, kind, operation, mode, each, number)


def _some(sender: Sender, kind: str, operation: Any, mode: GenerationMode, count: int, number: int) -> None:
    by_pattern = {(route.kind, "/" + _plain(route.pattern)): route for route in ROUTES}
    route = by_pattern[kind, operation.path]
    caller = next(one for one in CALLERS if (one.kind, one.name) == (kind, _CALLERS[kind]))
    own = sender.ground.ids(kind, "own")

    @seed(number)
    @hypothesis_settings(max_examples=count, **ONCE)  # type: ignore[arg-type] # a mapping of different things
    @given(operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        good = (
            mode is GenerationMode.POSITIVE
        )  # of things that are there, so that it comes beyond the first look
        address = operation.path
        for name, value in (case.path_parameters or {}).items():
            given_id = own.get(name) if good else None
            address = address.replace(f"{{{name}}}", quoted(given_id or str(value)))
        if case.query:
            address += "?" + encoded([(str(name), str(value)) for name, value in dict(case.query).items()])
        headers = {
            k: v
            for k, v in dict(case.headers or {}).items()
            if k.lower() not in ("authorization", "content-type")
        }
        sender.send(
            Asked(
                route, caller, operation.method.upper(), address, _bytes(case), case.media_type or "", headers
            )
        )

    run()


def _plain(pattern: str) -> str:
    """The address of a URL table as the document writes it."""
    return "".join(
        "{" + part.partition(">")[0].partition(":")[2] + "}" + part.partition(">")[2] if number else part
        for number, part in enumerate(pattern.split("<"))
    )


def _bytes(case: Any) -> bytes:
    if isinstance(case.body, bytes):
        return case.body
    if not isinstance(case.body, (dict, list, str, int, float, bool, type(None))):
        return b""
    return jsonx.dumps(case.body)
