"""Words of the connectors: how a system is signed in to, what a call does to it, how a connection is."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class AuthKind(TextChoices):
    """How calls prove who they are. Each kind has one secret at most."""

    NONE = "none", _("No sign-in")
    API_KEY = "api_key", _("API key in a header")
    BEARER = "bearer", _("Bearer token")
    BASIC = "basic", _("User name and password")
    OAUTH2 = "oauth2_client_credentials", _("OAuth 2 client credentials")


class Effect(TextChoices):
    """What a repeated call would do. Idempotent: nothing more, given the same key; unsafe: it would act again."""

    SAFE = "safe", _("Reads only")
    IDEMPOTENT = "idempotent", _("Acts once a key")
    UNSAFE = "unsafe", _("Acts at each call")


class ErrorClass(TextChoices):
    """What an answer that is no success means for whoever called."""

    BUSY = "busy", _("Try again later")
    REFUSED = "refused", _("What was sent is not accepted")
    NOT_FOUND = "not_found", _("There is no such thing")
    CONFLICT = "conflict", _("It is in a state that does not allow this")
    SIGN_IN = "sign_in", _("The credentials are not accepted")
    BROKEN = "broken", _("The system failed")


class ConnectionState(TextChoices):
    """How a connection was when it was last looked at."""

    NEW = "new", _("Not checked yet")
    HEALTHY = "healthy", _("Healthy")
    DEGRADED = "degraded", _("Degraded")
    DISCONNECTED = "disconnected", _("Disconnected")
