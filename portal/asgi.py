"""What the web server runs: the letterbox's express lane, and behind it Django in threads."""

import string
from typing import Any, Final, cast
from urllib.parse import quote_from_bytes

from a2wsgi import WSGIMiddleware

from portal.wsgi import application as pages  # before the others: it sets Django up

from portal.letterbox import Application, Letterbox, Message, Receive, Scope, Send  # isort: skip

THREADS: Final = 4
_threads: Final = cast("Application", WSGIMiddleware(cast("Any", pages), workers=THREADS))


async def _django(scope: Scope, receive: Receive, send: Send) -> None:
    query = scope.get("query_string", b"")
    if not query.isascii():  # scanners send such; quoted it means the same
        scope = {**scope, "query_string": quote_from_bytes(query, safe=string.printable).encode()}

    async def received() -> Message:
        return await receive()  # the server's is awaitable, but no coroutine, which a2wsgi asks for

    await _threads(scope, received, send)


application: Final = Letterbox(_django)
