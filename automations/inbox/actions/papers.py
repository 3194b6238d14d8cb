"""Files on a case: checked by what they are, not by their names; pictures are drawn anew, so nothing hides in them."""

import hashlib
import io
import re
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from automations.inbox import policy
from automations.inbox.enums import Visibility
from automations.inbox.errors import CaseUnknown
from automations.inbox.models import Case, Paper
from kernel import cards
from kernel.actor import Actor
from kernel.errors import Invalid
from tenants.audit.actions import record

LARGEST: Final = 8 * 1024 * 1024
MOST: Final = 30
"""Files of one case."""
_PIXELS: Final = 40_000_000
_SIDE: Final = 3_000
_PICTURES: Final = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
_UNSAID: Final = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069/\\\\:*?\"<>|]+")


def attach_file(
    *,
    case_id: UUID,
    name: str,
    content: bytes,
    actor: Actor,
    now: datetime,
    visibility: Visibility | str = Visibility.CLIENT,
) -> UUID:
    """Put a file beside a case, open or closed; its key. Raises Invalid for what is no picture, PDF or plain text."""
    actor.require("inbox.comment")
    seen_by = Visibility(visibility)
    policy.require_visibility(actor, seen_by)
    if not content or len(content) > LARGEST:
        raise Invalid(fields={"file": [_("At most %(n)d MB, and not empty.") % {"n": LARGEST // 1024**2}]})
    media, kept, ending = _checked(content)
    with transaction.atomic():
        case = Case.objects.select_for_update().filter(pk=case_id).first()
        if case is None:
            raise CaseUnknown
        if case.papers.count() >= MOST:
            raise Invalid(fields={"file": [_("A case holds %(n)d files.") % {"n": MOST}]})
        paper = Paper.objects.create(
            case=case,
            name=_called(name, ending),
            media=media,
            size=len(kept),
            sha256=hashlib.sha256(kept).hexdigest(),
            content=kept,
            visibility=seen_by,
            actor_id=actor.id,
            actor=actor.label[:200],
            at=now,
        )
        record(
            actor=actor,
            action="inbox.attach_file",
            obj=case,
            now=now,
            after={
                "file": paper.public_id,
                "sha256": paper.sha256,
                "size": paper.size,
                "visibility": seen_by,
            },
        )
    return paper.id


def _checked(content: bytes) -> tuple[str, bytes, str]:
    """(media type, what is kept, ending) of what a file is. Raises Invalid."""
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-2_048:]:
        return "application/pdf", content, "pdf"
    picture = _picture(content)
    if picture is not None:
        return picture
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" in text or text.lstrip()[:1] == "<":
        raise Invalid(fields={"file": [_("A picture (PNG, JPEG, WebP), a PDF or plain text; this is none.")]})
    return "text/plain", cards.masked(text).encode(), "txt"


def _picture(content: bytes) -> tuple[str, bytes, str] | None:
    """A picture drawn anew: without what a camera wrote into it, and without what somebody hid behind it."""
    from PIL import (  # not with the module: the engine draws no pictures
        Image,
        ImageOps,
        UnidentifiedImageError,
    )

    try:
        with Image.open(io.BytesIO(content), formats=tuple(_PICTURES)) as found:
            if found.width * found.height > _PIXELS:
                raise Invalid(fields={"file": [_("This picture has too many points.")]})
            kind = str(found.format)
            upright = ImageOps.exif_transpose(found)
            drawn = upright.convert("RGB" if kind == "JPEG" else "RGBA")
    except UnidentifiedImageError:
        return None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Invalid(fields={"file": [_("This picture cannot be read.")]}) from error
    drawn.thumbnail((_SIDE, _SIDE))
    clean = Image.new(drawn.mode, drawn.size)
    clean.paste(drawn)
    out = io.BytesIO()
    clean.save(out, kind)
    return f"image/{kind.lower()}", out.getvalue(), _PICTURES[kind]


def _called(name: str, ending: str) -> str:
    """A name that is one and says what the file is, whatever was sent."""
    stem = _UNSAID.sub(" ", name).strip(" .")
    if "." in stem:
        stem = stem.rsplit(".", 1)[0]
    return f"{stem.strip(' .')[:120] or 'file'}.{ending}"
