"""Error reporting to Sentry, if a DSN is set: benign errors stay here, and no secret leaves."""

from typing import Any

from django.conf import settings

from kernel.errors import PortalError
from kernel.secrets import redact


def before_send(event: Any, hint: dict[str, Any]) -> Any:
    """Drop benign errors; take secrets, cookies and bodies out of the rest."""
    error = hint.get("exc_info", (None, None, None))[1]
    if isinstance(error, PortalError) and error.benign:
        return None
    request = event.get("request")
    if isinstance(request, dict):
        for part in ("cookies", "data", "headers", "env"):
            request.pop(part, None)
    return _redacted(event)


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(item) for item in value]
    return value


def start() -> None:
    """Set Sentry up; without a DSN this does nothing."""
    if settings.ENV.sentry_dsn:
        import sentry_sdk  # not with the module: it is several megabytes in each process

        sentry_sdk.init(
            dsn=settings.ENV.sentry_dsn,
            before_send=before_send,
            send_default_pii=False,
            max_request_body_size="never",
            include_local_variables=False,
            traces_sample_rate=0.0,
        )
