"""The words of signing in."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

SIGN_ON: Final = "sign_on"
"""What secrets of identity providers are sealed for."""


class Via(TextChoices):
    """How a session began."""

    PASSWORD = "password", _("Password")
    LINK = "link", _("Link by mail")
    PASSKEY = "passkey", _("Passkey")
    SSO = "sso", _("Single sign-on")
    INVITATION = "invitation", _("Invitation")
    SUPPORT = "support", _("Support access")


class ProviderKind(TextChoices):
    """How an identity provider is spoken with."""

    OIDC = "oidc", _("OpenID Connect")
    SAML = "saml", _("SAML 2.0")


class FactorKind(TextChoices):
    """What a second factor is."""

    TOTP = "totp", _("Authenticator app")
    PASSKEY = "passkey", _("Passkey")


class SupportRule(TextChoices):
    """Whether a partner's staff may enter a client."""

    ALLOWED = "allowed", _("Whenever they give a reason")
    APPROVAL = "approval", _("After somebody here has agreed")
    FORBIDDEN = "forbidden", _("Never")


class SupportState(TextChoices):
    """How far a support access has come; one that is open may be over by time."""

    ASKED = "asked", _("Asked for")
    OPEN = "open", _("Open")
    REFUSED = "refused", _("Refused")
    ENDED = "ended", _("Ended")
