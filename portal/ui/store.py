"""A store's tasks on a phone: count, confirm, photograph; answers given without a network are sent when it is back."""

import base64
import hashlib
import io
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from automations.inbox import queries
from automations.inbox.actions.tasks import do_task
from automations.inbox.queries.tasks import StoreTask
from kernel import clock, jsonx
from kernel.errors import Invalid, PortalError
from portal.env import ROOT
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.kit.pages import go, key_of, page
from portal.ui.kit.schemaform import SchemaForm
from tenants.access import actions as access
from tenants.access.actions import Repeatable
from tenants.access.errors import KeyBusy
from tenants.tenancy import context

_PHOTO: Final = "photo"
_PHOTO_BYTES: Final = 1_500_000
_SIDE: Final = 1_024
_KEY_LONGEST: Final = 255


def _crumbs(request: TenantRequest, *more: tuple[str, str]) -> list[tuple[str, str]]:
    return [(request.tenant.name, "/"), (_("Store tasks"), reverse("store:tasks") if more else ""), *more]


@door("tasks.do")
def tasks(request: TenantRequest) -> HttpResponse:
    """What is to be done in the store, the most urgent first."""
    shown = {"tasks": queries.store_tasks(now=context.now()), "crumbs": _crumbs(request)}
    return page(request, "store/tasks.html", shown)


@door("tasks.do")
def task(request: TenantRequest, case: str) -> HttpResponse:
    """One task with the form of its answer. Raises NotFound."""
    found = queries.store_task(key_of("case", case), now=context.now())
    return _show(request, found, _form(found))


def _form(found: StoreTask, data: Any = None) -> SchemaForm | None:
    """The fields of the answer but its photograph, which is no text."""
    asked = dict(found.form or {})
    properties = {name: one for name, one in asked.get("properties", {}).items() if name != _PHOTO}
    if not properties:
        return None
    required = [name for name in asked.get("required", []) if name != _PHOTO]
    return SchemaForm({**asked, "properties": properties, "required": required}, data, prefix="answer")


def _photographs(found: StoreTask) -> bool:
    return _PHOTO in (found.form or {}).get("properties", {})


def _show(
    request: TenantRequest, found: StoreTask, form: SchemaForm | None, status: int = 200
) -> HttpResponse:
    shown = {
        "task": found,
        "fields": form,
        "photographs": _photographs(found),
        "crumbs": _crumbs(request, (found.row.code, "")),
    }
    return page(request, "store/task.html", shown, status=status)


@door(post="tasks.do")
def done(request: TenantRequest, case: str) -> HttpResponse:
    """The answer to a task; from the outbox of a browser it is answered in JSON. Raises NotFound."""
    key = key_of("case", case)
    found = queries.store_task(key, now=context.now())
    form = _form(found, request.POST)
    waiting = request.headers.get("X-Outbox") == "1"
    if waiting and (kept := _sent_with_key(request)) is not None:
        return _once(request, kept, lambda: _answer(request, case, key, found, form, waiting=True))
    return _answer(request, case, key, found, form, waiting=waiting)


def _sent_with_key(request: TenantRequest) -> Repeatable | None:
    """What the outbox sends under a key of its own; None without one. Raises Invalid."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return None
    if len(key) > _KEY_LONGEST or not key.isprintable():
        raise Invalid(f"an Idempotency-Key has at most {_KEY_LONGEST} printable characters")
    assert request.actor.id is not None
    sent = sorted((name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken")
    pictures = []
    for name in request.FILES:
        for one in request.FILES.getlist(name):
            pictures.append((name, hashlib.sha256(one.read()).hexdigest()))
            one.seek(0)
    return Repeatable(
        owner_id=request.actor.id,
        partner_id=request.partner.id,
        tenant_id=request.tenant.id,
        key=key,
        fingerprint=hashlib.sha256(repr((request.path, sent, pictures)).encode()).hexdigest(),
    )


def _once(request: TenantRequest, kept: Repeatable, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """Do it, or answer as before: the answer is kept in the transaction of what was done."""
    now = clock.now()
    try:
        with transaction.atomic():
            before = access.answered(request=kept, now=now)
            if before is not None:
                return JsonResponse(before[1], status=before[0], headers={"Idempotent-Replayed": "true"})
            given = answer()
            if given.status_code < 300:
                body = jsonx.loads(given.content)
                access.keep_answer(request=kept, status=given.status_code, body=body, now=now)
            return given
    except KeyBusy as error:  # the same answer is on its way already: the outbox keeps it and asks again
        return JsonResponse({"text": _(error.message)}, status=503)
    except PortalError as error:
        if not error.benign:
            raise
        return JsonResponse({"text": _(error.message)}, status=error.status)


def _answer(
    request: TenantRequest,
    case: str,
    key: UUID,
    found: StoreTask,
    form: SchemaForm | None,
    *,
    waiting: bool,
) -> HttpResponse:
    try:
        if form is not None and not form.is_valid():
            raise Invalid(fields={name: [str(one) for one in errors] for name, errors in form.errors.items()})
        value = _value(found, form, request)
        do_task(case_id=key, value=value, actor=request.actor, now=context.now())
    except PortalError as error:
        if not error.benign:
            raise
        if waiting:
            return JsonResponse({"text": _(error.message), "fields": error.fields}, status=error.status)
        if form is not None and form.errors:
            return _show(request, found, form, 422)
        messages.error(request, _(error.message))
        return go(request, reverse("store:task", args=[case]))
    if waiting:
        return JsonResponse({"text": _("%(task)s is done.") % {"task": found.row.title}})
    messages.success(request, _("%(task)s is done.") % {"task": found.row.title})
    return go(request, reverse("store:tasks"))


def _value(found: StoreTask, form: SchemaForm | None, request: TenantRequest) -> Any:
    if found.form is None:
        return None
    value = dict(form.value) if form is not None else {}
    picture = request.FILES.get(_PHOTO)
    if _photographs(found) and picture is not None:
        value[_PHOTO] = _redrawn(picture.read(_PHOTO_BYTES * 8 + 1))
    return value


def _redrawn(picture: bytes) -> str:
    """The photograph drawn anew, small and without where and with what it was taken, as a data URL."""
    wrong = Invalid(fields={_PHOTO: ["Use a photograph of at most 12 MB."]})
    if len(picture) > _PHOTO_BYTES * 8:
        raise wrong
    try:
        with Image.open(io.BytesIO(picture), formats=("PNG", "WEBP", "JPEG")) as opened:
            opened.draft("RGB", (_SIDE, _SIDE))
            drawn = opened.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise wrong from error
    drawn.thumbnail((_SIDE, _SIDE))
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=70)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"


@door("tasks.do")
def worker(request: TenantRequest) -> HttpResponse:
    """The script that keeps these pages at hand without a network; under this address it rules these pages alone."""
    response = HttpResponse(
        (ROOT / "static" / "store" / "sw.js").read_bytes(), content_type="text/javascript"
    )
    response["Cache-Control"] = "no-cache"
    return response
