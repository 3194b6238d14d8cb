"""How people sign in: the rules of a place, the identity providers that it trusts, and who came in for support."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rest_framework import serializers

from kernel import clock
from kernel.errors import Conflict, Invalid
from portal.api import fields
from portal.api.access import place_of
from portal.api.desk import CREATED, NO_CONTENT, Call, Desk, operation, rule
from portal.api.fields import PublicId, Shape
from portal.api.pages import Listing
from tenants.access.enums import Role
from tenants.accounts import queries
from tenants.accounts.actions import policies, providers, sign_on, support
from tenants.accounts.enums import ProviderKind, SupportRule, SupportState
from tenants.accounts.errors import NotByYourself, SignOnRefused, StillEnforced, SupportOver
from tenants.accounts.models import Provider, SupportAccess

_DOMAINS = "Domains whose addresses it may speak for."


class SignInRules(Shape):
    """How one signs in at this place."""

    sign_on_only = fields.yes_or_no("Whether one signs in by single sign-on alone.")
    second_factor = fields.yes_or_no("Whether everybody needs a second factor.")
    mail_links = fields.yes_or_no("Whether one may sign in by a link that is sent by mail.")
    support = fields.one_of(SupportRule.choices, "Whether the partner's staff may come in for support.")


class NewSignInRules(Shape):
    """What is to change; the rest stays."""

    sign_on_only = fields.yes_or_no(
        "Single sign-on alone; only who came in by it themselves turns it on.", required=False
    )
    second_factor = fields.yes_or_no("A second factor for everybody.", required=False)
    mail_links = fields.yes_or_no("Links by mail.", required=False)
    support = fields.one_of(SupportRule.choices, "Support access.", required=False)


class Rules(Desk):
    """The rules of signing in."""

    rule = rule(get="access.policy", patch="access.policy")

    @operation("get_sign_in_rules", returns=SignInRules)
    def get(self, call: Call) -> Any:
        """How one signs in here."""
        return queries.rules_at(call.partner_id, call.tenant_id)

    @operation(
        "set_sign_in_rules",
        takes=NewSignInRules,
        returns=SignInRules,
        raises=(NotByYourself,),
        example={"second_factor": True},
    )
    def patch(self, call: Call) -> Any:
        """Change the rules; they hold at everybody's next request. A token cannot turn single sign-on alone on."""
        partner, tenant = place_of(call)
        policies.set_policy(
            partner=partner,
            tenant=tenant,
            values=dict(call.body),
            by_sign_on=call.actor.kind == "user"
            and queries.by_own_provider(call.request.session, call.partner_id, call.tenant_id),
            actor=call.actor,
            now=clock.now(),
        )
        return queries.rules_at(call.partner_id, call.tenant_id)


class ProviderShown(Shape):
    """An identity provider that this place trusts; never its secret."""

    id = PublicId("idp", help_text="Id of the provider.")
    kind = fields.one_of(ProviderKind.choices, "How it is spoken with.")
    name = fields.text("As it stands on the button.")
    issuer = fields.text("What it calls itself: an issuer, or an entity ID.")
    client_id = fields.text("What it calls this portal; empty for SAML.", allow_blank=True)
    sso_url = fields.text("Of SAML: where people are sent.", allow_blank=True)
    domains = serializers.ListField(child=serializers.CharField(), help_text=_DOMAINS)
    role = fields.text("Role of people who come for the first time; empty: none.", allow_blank=True)
    created_at = fields.at("Since when it is trusted.")


class NewProvider(Shape):
    """An identity provider to trust: of OpenID Connect by its issuer, of SAML by its metadata."""

    kind = fields.one_of(ProviderKind.choices, "How it is spoken with.", default=ProviderKind.OIDC)
    name = serializers.CharField(max_length=80, help_text="As it stands on the button.")
    issuer = serializers.CharField(
        max_length=500, required=False, default="", allow_blank=True, help_text="Of OpenID Connect."
    )
    client_id = serializers.CharField(
        max_length=200, required=False, default="", allow_blank=True, help_text="Of OpenID Connect."
    )
    secret = serializers.CharField(
        max_length=500,
        required=False,
        default="",
        allow_blank=True,
        trim_whitespace=False,
        help_text="Of OpenID Connect: the client secret; it is never shown again.",
    )
    metadata = serializers.CharField(
        max_length=200_000,
        required=False,
        default="",
        allow_blank=True,
        help_text="Of SAML: its metadata, XML.",
    )
    domains = serializers.ListField(
        child=serializers.RegexField(r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253),
        allow_empty=False,
        max_length=50,
        help_text=_DOMAINS,
    )
    role = serializers.ChoiceField(
        choices=Role.choices,
        required=False,
        default="",
        allow_blank=True,
        help_text="Role of people who come for the first time; empty: none.",
    )


class ChangedProvider(Shape):
    """What is to change of a provider; the rest stays."""

    name = serializers.CharField(max_length=80, required=False, help_text="As it stands on the button.")
    client_id = serializers.CharField(max_length=200, required=False, help_text="Of OpenID Connect.")
    secret = serializers.CharField(
        max_length=500, required=False, trim_whitespace=False, help_text="Of OpenID Connect: a new secret."
    )
    metadata = serializers.CharField(
        max_length=200_000,
        required=False,
        help_text="Of SAML: its metadata, when address or certificate change.",
    )
    domains = serializers.ListField(
        child=serializers.RegexField(r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253),
        allow_empty=False,
        max_length=50,
        required=False,
        help_text=_DOMAINS,
    )
    role = serializers.ChoiceField(
        choices=Role.choices, required=False, allow_blank=True, help_text="Role of people who come first."
    )


_OIDC = {
    "kind": "oidc",
    "name": "Company login",
    "issuer": "https://login.example.com/realm",
    "client_id": "portal",
    "secret": "given by the provider",
    "domains": ["example.com"],
    "role": "analyst",
}


class Providers(Desk):
    """Identity providers."""

    rule = rule(get="access.policy", post="access.policy")

    @operation("list_identity_providers", returns=ProviderShown, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """The identity providers that this place trusts."""
        return call.paging.of(queries.providers_at(call.partner_id, call.tenant_id), by="created_at")

    @operation(
        "add_identity_provider",
        takes=NewProvider,
        returns=ProviderShown,
        status=CREATED,
        once=True,
        raises=(Conflict,),
        example=_OIDC,
    )
    def post(self, call: Call) -> Provider:
        """Trust an identity provider; one of OpenID Connect is asked at once whether it is the one."""
        partner, tenant = place_of(call)
        values = dict(call.body)
        kind, secret, metadata = (values.pop(name) for name in ("kind", "secret", "metadata"))
        more: dict[str, Any] = {"partner": partner, "tenant": tenant, "actor": call.actor, "now": clock.now()}
        with _told():
            if kind == ProviderKind.SAML:
                _need(call, "metadata")
                return providers.add_saml_provider(values=values, metadata=metadata, **more)
            _need(call, "issuer", "client_id", "secret")
            said = sign_on.metadata(values["issuer"])
            return providers.add_provider(values=values, secret=secret, said=said, **more)


@contextmanager
def _told() -> Iterator[None]:
    """A provider that is not what was said is a fault of the request, and no question of who sends it."""
    try:
        yield
    except SignOnRefused as error:
        raise Invalid(fields=error.fields) from error


def _need(call: Call, *names: str) -> None:
    missing = {name: ["This kind of provider needs it."] for name in names if not call.body[name]}
    if missing:
        raise Invalid(fields=missing)


class OneProvider(Desk):
    """One identity provider."""

    rule = rule(get="access.policy", patch="access.policy", delete="access.policy")

    @operation("get_identity_provider", returns=ProviderShown)
    def get(self, call: Call, provider: str) -> Provider:
        """One identity provider."""
        return queries.provider_at(call.partner_id, call.tenant_id, provider)

    @operation("change_identity_provider", takes=ChangedProvider, returns=ProviderShown)
    def patch(self, call: Call, provider: str) -> Provider:
        """Change what a provider is called and speaks for, its secret, or its metadata."""
        found = queries.provider_at(call.partner_id, call.tenant_id, provider)
        values = dict(call.body)
        secret, metadata = values.pop("secret", ""), values.pop("metadata", "")
        more: dict[str, Any] = {"provider": found, "actor": call.actor, "now": clock.now()}
        if found.kind == ProviderKind.SAML:
            with _told():
                return providers.change_saml_provider(values=values, metadata=metadata, **more)
        return providers.change_provider(values=values, secret=secret, **more)

    @operation("remove_identity_provider", status=NO_CONTENT, raises=(StillEnforced,))
    def delete(self, call: Call, provider: str) -> None:
        """Trust a provider no more; sessions that began by it are over where single sign-on alone counts."""
        found = queries.provider_at(call.partner_id, call.tenant_id, provider)
        providers.remove_provider(provider=found, actor=call.actor, now=clock.now())


class Support(Shape):
    """A partner's engineer in a client's portal: with a reason, for a time."""

    id = PublicId("sup", help_text="Id of the support access.")
    client = PublicId("tnt", source="tenant_id", help_text="The client.")
    email = fields.text("Who came.", source="user.email")
    reason = fields.text("Why.")
    ticket = fields.text("Number of a ticket.", allow_blank=True)
    minutes = serializers.IntegerField(help_text="For how long.")
    state = fields.one_of(SupportState.choices, "How far it has come; one that is open ends at `expires_at`.")
    asked_at = fields.at("When they asked.")
    decided_by = fields.text("Who let them in or refused; empty where nobody had to.", allow_blank=True)
    decided_at = fields.perhaps_at("When that was.")
    expires_at = fields.perhaps_at("When it ends by itself.")
    ended_at = fields.perhaps_at("When somebody ended it.")
    ended_by = fields.text("Who did.", allow_blank=True)


class OfClient(Desk):
    """Support accesses to this client."""

    rule = rule(get="access.support")

    @operation("list_support_accesses", returns=Support, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """Who came in for support or asks to, newest first."""
        rows = queries.supports_of(partner_id=call.partner_id, tenant_id=call.tenant_id)
        return call.paging.of(rows, by="-asked_at")


class OfPartner(Desk):
    """Support accesses of the partner's staff."""

    rule = rule(get="tenancy.support")

    @operation("list_staff_support_accesses", returns=Support, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """Whom of the staff support took to which client, newest first."""
        return call.paging.of(queries.supports_of(partner_id=call.partner_id), by="-asked_at")


class Agree(Desk):
    """Letting somebody in."""

    rule = rule(post="access.support")

    @operation("agree_to_support", returns=Support, once=True, raises=(SupportOver,))
    def post(self, call: Call, support_access: str) -> SupportAccess:
        """Let somebody in who asked; their time begins now."""
        return support.decide(
            access=_support(call, support_access), agree=True, actor=call.actor, now=clock.now()
        )


class Refuse(Desk):
    """Not letting somebody in."""

    rule = rule(post="access.support")

    @operation("refuse_support", returns=Support, once=True, raises=(SupportOver,))
    def post(self, call: Call, support_access: str) -> SupportAccess:
        """Refuse somebody who asked."""
        return support.decide(
            access=_support(call, support_access), agree=False, actor=call.actor, now=clock.now()
        )


class End(Desk):
    """Showing somebody out."""

    rule = rule(post="access.support")

    @operation("end_support", returns=Support, once=True, raises=(SupportOver,))
    def post(self, call: Call, support_access: str) -> SupportAccess:
        """End a support access before its time; whoever came is out at their next request."""
        return support.end(access=_support(call, support_access), actor=call.actor, now=clock.now())


def _support(call: Call, public_id: str) -> SupportAccess:
    return queries.support_at(call.partner_id, call.tenant_id, public_id)
