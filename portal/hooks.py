"""The letterbox: webhooks come in here, on a tenant's host, and are answered when they are safely stored."""

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from automations.events.actions import receive_webhook
from kernel import clock, jsonx, metrics
from kernel.errors import PortalError, TooLarge
from portal.permissions import door
from portal.request import PortalRequest


@door(public=True, read_only_exempt=True)
@csrf_exempt
@require_POST
def receive(request: PortalRequest, token: str) -> HttpResponse:
    """Take one delivery in; the errors that it raises are answered as problem documents."""
    try:
        receipt = receive_webhook(token=token, headers=request.headers, body=_body(request), now=clock.now())
    except PortalError as error:
        metrics.webhooks.labels(outcome=error.code).inc()
        raise
    metrics.webhooks.labels(outcome=receipt.outcome).inc()
    return HttpResponse(jsonx.dumps(receipt.body()), status=receipt.status, content_type="application/json")


def _body(request: PortalRequest) -> bytes:
    """The raw body. Raises TooLarge: by what is declared before anything is read, else by what comes."""
    most = settings.WEBHOOK_MAX_BYTES
    declared = str(request.META.get("CONTENT_LENGTH") or "")
    if declared.isdigit():
        if int(declared) > most:
            raise TooLarge(f"the body has {declared} bytes; at most {most} are taken")
        return bytes(request.read(int(declared)))
    # Django takes a body without a length for empty; the server unpacks chunks by itself
    body = bytes(request.META["wsgi.input"].read(most + 1))
    if len(body) > most:
        raise TooLarge(f"at most {most} bytes are taken")
    return body
