"""Files on cases as the privacy room reads them: plain text is looked through; pictures and PDFs a person looks at."""

import hashlib
from collections.abc import Mapping
from typing import Any

from automations.inbox.models import Paper
from tenants.privacy.registry import Codec, codec

_TEXT = "text/plain"


def _read(paper: Paper) -> str | None:
    return bytes(paper.content).decode() if paper.media == _TEXT else None


def _write(_: Paper, text: Any) -> Mapping[str, Any]:
    content = str(text).encode()
    return {"content": content, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


codec("inbox.Paper", "content", Codec(read=_read, write=_write))
