"""Visit, Factor, RecoveryCode, MailLink, Brake, Policy, Provider, Identity, SamlAnswer, ScimUser, SupportAccess …"""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from kernel.models import Row
from tenants.access.enums import Role
from tenants.access.models import Handoff, User
from tenants.accounts.enums import FactorKind, ProviderKind, SupportRule, SupportState, Via
from tenants.tenancy.models import Partner, Tenant


class Visit(Row):
    """A session of a person on one host, as they see it in their list; ending it deletes the session behind it."""

    prefix = "ses"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="visits")
    session_key = models.CharField(max_length=40, unique=True)
    host = models.CharField(max_length=253)
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, null=True, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, related_name="+")
    via = models.CharField(max_length=12, choices=Via)
    strong = models.BooleanField(default=False, help_text="A second factor was shown.")
    address = models.CharField(max_length=64, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-seen_at", "-id"]
        indexes = [models.Index(fields=["user", "-seen_at"], name="visit_of_user")]

    def __str__(self) -> str:
        return f"{self.get_via_display()} on {self.host}"


class Factor(Row):
    """A second factor: an authenticator app (its secret is sealed), or a passkey (its public key)."""

    prefix = "fac"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="factors")
    kind = models.CharField(max_length=8, choices=FactorKind)
    name = models.CharField(max_length=80)
    secret = models.BinaryField(null=True, help_text="Sealed; of an authenticator app.")
    last_step = models.BigIntegerField(default=0, help_text="The last code that was used: none works twice.")
    credential = models.BinaryField(null=True, help_text="Of a passkey: its id and public key together.")
    credential_id = models.CharField(max_length=1_400, null=True, unique=True)  # noqa: DJ001 - unique
    rp_id = models.CharField(max_length=253, blank=True)
    sign_count = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(kind="totp"), name="factor_one_app"
            ),  # two apps would mean that either one lets in
        ]

    def __str__(self) -> str:
        return self.name


class RecoveryCode(Row):
    """A code on paper that stands for a second factor once."""

    prefix = "rec"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"


class MailLink(Row):
    """A link to sign in by, sent by mail: for one person, on one host, once, for a few minutes."""

    prefix = "lnk"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    host = models.CharField(max_length=253)
    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, null=True, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # what the dispatcher asks for all the time: mails that are not out yet
            models.Index(fields=["created_at"], condition=Q(sent_at__isnull=True), name="maillink_unsent"),
        ]

    def __str__(self) -> str:
        return f"link for {self.user_id}"


class Brake(models.Model):
    """How often somebody was wrong lately, by what they guess at and from where."""

    key = models.CharField(max_length=64, primary_key=True)
    fails = models.PositiveIntegerField()
    since = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["since"], name="brake_age")]

    def __str__(self) -> str:
        return f"{self.fails} since {self.since:%H:%M}"


class Policy(Row):
    """How one signs in to a partner's console or a client's portal; without a row every way is open."""

    prefix = "pol"

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, related_name="+")
    sign_on_only = models.BooleanField(default=False)
    second_factor = models.BooleanField(default=False)
    mail_links = models.BooleanField(default=True)
    support = models.CharField(max_length=10, choices=SupportRule, default=SupportRule.ALLOWED)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "tenant"], nulls_distinct=False, name="policy_once"),
        ]

    def __str__(self) -> str:
        return "sign-in"


class Provider(Row):
    """An identity provider that a partner or a client trusts, for its own people alone."""

    prefix = "idp"

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=8, choices=ProviderKind, default=ProviderKind.OIDC)
    name = models.CharField(max_length=80)
    issuer = models.CharField(max_length=500)
    client_id = models.CharField(max_length=200, blank=True)
    client_secret = models.BinaryField(null=True, help_text="Sealed.")
    sso_url = models.CharField(max_length=500, blank=True, help_text="Of SAML: where people are sent.")
    certificates = models.JSONField(default=list, help_text="Of SAML: what it signs with, as PEM.")
    domains = models.JSONField(default=list, help_text="Domains whose addresses it may speak for.")
    role = models.CharField(max_length=24, choices=Role, blank=True, help_text="For people unknown so far.")
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "tenant", "issuer"], nulls_distinct=False, name="provider_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Identity(Row):
    """A person as one provider knows them. The subject tells them apart; an address never does."""

    prefix = "idn"

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="identities")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "issuer", "subject"], name="identity_once"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} of {self.issuer}"


class SamlAnswer(Row):
    """What a SAML provider answered: it waits a minute for the browser that asked, and none counts twice."""

    prefix = "sam"

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="+")
    assertion_id = models.CharField(max_length=255)
    in_response_to = models.CharField(max_length=255)
    claims = models.JSONField(default=dict, help_text="Empty once it is used.")
    digest = models.CharField(max_length=64, unique=True)
    taken_at = models.DateTimeField()
    waits_until = models.DateTimeField()
    counts_until = models.DateTimeField(help_text="After that it would be refused by its own words.")
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["counts_until"], name="saml_answer_age")]
        constraints = [
            # whoever shows an answer a second time is refused
            models.UniqueConstraint(fields=["provider", "assertion_id"], name="saml_answer_once"),
        ]

    def __str__(self) -> str:
        return f"answer of {self.provider_id}"


class ScimUser(Row):
    """Somebody whom a directory keeps here; inactive, they have no role, and their sessions here are over."""

    prefix = "scu"

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    user_name = models.CharField(max_length=254)
    external_id = models.CharField(max_length=255, blank=True)
    role = models.CharField(max_length=24, choices=Role)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                Lower("user_name"), "partner", "tenant", nulls_distinct=False, name="scim_user_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.user_name


class SupportAccess(Row):
    """A partner's engineer in a client's portal: with a reason, for a time."""

    prefix = "sup"

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=500)
    ticket = models.CharField(max_length=80, blank=True)
    minutes = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=SupportState)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-asked_at", "-id"]
        indexes = [models.Index(fields=["tenant", "-asked_at"], name="support_of_tenant")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="open") | Q(expires_at__isnull=False), name="support_open_ends"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.reason}"


class Crossing(Row):
    """What goes with a pass from one portal to another: how its bearer had signed in, and for what they come."""

    prefix = "crs"

    handoff = models.OneToOneField(Handoff, on_delete=models.CASCADE, related_name="crossing")
    via = models.CharField(max_length=12, choices=Via)
    strong = models.BooleanField(default=False)
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, null=True, related_name="+")
    support = models.ForeignKey(SupportAccess, on_delete=models.CASCADE, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.via} of {self.handoff_id}"
