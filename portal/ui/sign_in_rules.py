"""How people sign in at a place: its rules, and the identity providers that it trusts."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kernel import clock
from kernel.errors import PortalError
from kernel.saml import ends_at
from portal.permissions import door
from portal.request import SignedIn
from portal.ui.access import rows
from portal.ui.kit.acts import ACTS
from portal.ui.kit.forms import refuse, ui
from portal.ui.kit.pages import go, page
from portal.ui.place import crumbs
from portal.ui.sign_on import back_address, own_name, saml_address
from tenants.access import catalog
from tenants.access.enums import Role
from tenants.accounts import queries
from tenants.accounts.actions import policies, providers, sign_on
from tenants.accounts.enums import ProviderKind, SupportRule
from tenants.accounts.models import Provider

ACTS.update(
    {
        "accounts.add_provider": gettext_lazy("Trusted an identity provider"),
        "accounts.change_provider": gettext_lazy("Changed an identity provider"),
        "accounts.remove_provider": gettext_lazy("Trusted an identity provider no more"),
        "accounts.provision": gettext_lazy("Had somebody kept by the directory"),
        "accounts.change_provisioned": gettext_lazy("Changed somebody whom the directory keeps"),
        "accounts.withdraw": gettext_lazy("Had somebody kept by the directory no more"),
        "accounts.link_identity": gettext_lazy("Signed in by single sign-on for the first time"),
    }
)


class RulesForm(forms.Form):
    """What holds for everybody here."""

    second_factor = forms.BooleanField(
        label=gettext_lazy("A second factor is needed"),
        required=False,
        help_text=gettext_lazy(
            "Whoever has none sets one up at their next click. Single sign-on counts as one: its provider decides."
        ),
    )
    mail_links = forms.BooleanField(
        label=gettext_lazy("People may sign in by a link that is sent to their mail"), required=False
    )
    sign_on_only = forms.BooleanField(
        label=gettext_lazy("Single sign-on only"),
        required=False,
        help_text=gettext_lazy(
            "Passwords, links and passkeys are refused from the next click on, also in sessions that are open."
            " Sign in by single sign-on yourself before you turn it on."
        ),
    )
    support = forms.ChoiceField(
        label=gettext_lazy("Your provider's staff may come in for support"),
        choices=SupportRule.choices,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, tenant: bool, **kwargs: Any) -> None:
        """A console has nobody who would come in for support."""
        super().__init__(*args, **kwargs)
        if not tenant:
            del self.fields["support"]


class _TrustedForm(forms.Form):
    """What is asked of every identity provider."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("As it stands on the button: “Sign in with …”."),
    )
    domains = forms.CharField(
        label=gettext_lazy("Domains of its people"),
        max_length=1_000,
        help_text=gettext_lazy("Whose addresses it may speak for, separated by commas: example.com"),
    )
    role = ui(
        forms.ChoiceField(
            label=gettext_lazy("Role of people who come for the first time"),
            required=False,
            help_text=gettext_lazy("Without one, only people who were invited come in."),
        ),
        optional=True,
    )

    def __init__(self, *args: Any, roles: tuple[Role, ...], **kwargs: Any) -> None:
        """`roles` are those of this level."""
        super().__init__(*args, **kwargs)
        usual = [role for role in roles if role not in (Role.TENANT_ADMIN, Role.PARTNER_ADMIN)]
        choices = [("", _("Nobody comes in uninvited")), *((role.value, role.label) for role in usual)]
        self.fields["role"].choices = choices  # type: ignore[attr-defined]

    def clean_domains(self) -> list[str]:
        """Domain names in small letters."""
        found = [one.strip().lower().lstrip("@") for one in self.cleaned_data["domains"].split(",")]
        wrong = [one for one in found if one and ("." not in one or " " in one or "@" in one)]
        if wrong or not any(found):
            raise forms.ValidationError(_("Write domains like example.com, separated by commas."))
        return [one for one in found if one]


class SamlForm(_TrustedForm):
    """A SAML 2.0 provider, by its metadata."""

    metadata = forms.CharField(
        label=gettext_lazy("Metadata"),
        max_length=200_000,
        help_text=gettext_lazy("The XML document in which the provider describes itself; paste all of it."),
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )
    field_order = ("name", "metadata", "domains", "role")

    def __init__(self, *args: Any, known: bool = False, **kwargs: Any) -> None:
        """`known`: the provider is there, and its metadata may stay as they are."""
        super().__init__(*args, **kwargs)
        if known:
            self.fields["metadata"].required = False
            self.fields["metadata"].help_text = _(
                "Only when its address or its certificate changes; leave it empty to keep the present ones."
            )


class ProviderForm(_TrustedForm):
    """An OpenID Connect provider."""

    issuer = forms.URLField(
        label=gettext_lazy("Issuer"),
        max_length=500,
        assume_scheme="https",
        help_text=gettext_lazy(
            "The address of the provider, as it writes itself: https://login.example.com/realm"
        ),
    )
    client_id = forms.CharField(label=gettext_lazy("Client ID"), max_length=200)
    secret = forms.CharField(
        label=gettext_lazy("Client secret"),
        max_length=500,
        strip=False,
        help_text=gettext_lazy("It is kept encrypted and never shown again."),
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("name", "issuer", "client_id", "secret", "domains", "role")

    def __init__(self, *args: Any, known: bool = False, **kwargs: Any) -> None:
        """`known`: the provider is there, so its issuer stays and its secret may stay."""
        super().__init__(*args, **kwargs)
        if known:
            del self.fields["issuer"]
            self.fields["secret"].required = False
            self.fields["secret"].help_text = _("Leave it empty to keep the present one.")


def _roles(request: SignedIn) -> tuple[Role, ...]:
    return catalog.TENANT_ROLES if request.portal.tenant else catalog.PARTNER_ROLES


def _place(request: SignedIn) -> tuple[UUID | None, UUID | None]:
    return queries.place_of(request.portal)


@door("access.policy")
def rules(request: SignedIn) -> HttpResponse:
    """See and change how people sign in here."""
    present = queries.rules_at(*_place(request))
    initial = {
        name: getattr(present, name) for name in ("second_factor", "mail_links", "sign_on_only", "support")
    }
    tenant = request.portal.tenant is not None
    form = RulesForm(request.POST if request.method == "POST" else None, initial=initial, tenant=tenant)
    if request.method == "POST" and form.is_valid():
        partner, client = rows(request)
        try:
            policies.set_policy(
                partner=partner,
                tenant=client,
                values=form.cleaned_data,
                by_sign_on=queries.by_own_provider(
                    request.session, partner.id, client.id if client else None
                ),
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("It holds from everybody's next click on."))
            return go(request, request.path)
    shown = {
        "form": form,
        "providers": list(queries.providers_at(*_place(request))),
        "back": back_address(request),
        "crumbs": crumbs(request, (_("Signing in"), "")),
    }
    return page(request, "accounts/rules.html", shown, status=422 if form.errors else 200)


@door("access.policy")
def add(request: SignedIn) -> HttpResponse:
    """Trust an identity provider."""
    form = ProviderForm(request.POST if request.method == "POST" else None, roles=_roles(request))
    if request.method == "POST" and form.is_valid():
        partner, tenant = rows(request)
        values = dict(form.cleaned_data)
        secret = values.pop("secret")
        try:
            providers.add_provider(
                partner=partner,
                tenant=tenant,
                values=values,
                secret=secret,
                said=sign_on.metadata(values["issuer"]),
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(
                request, _("The provider answers. Try it: sign out, and in again by its button.")
            )
            return go(request, reverse("access:rules"))
    return _form_page(request, form, _("New identity provider"))


@door("access.policy")
def add_saml(request: SignedIn) -> HttpResponse:
    """Trust a SAML identity provider."""
    form = SamlForm(request.POST if request.method == "POST" else None, roles=_roles(request))
    if request.method == "POST" and form.is_valid():
        partner, tenant = rows(request)
        values = dict(form.cleaned_data)
        metadata = values.pop("metadata")
        try:
            providers.add_saml_provider(
                partner=partner,
                tenant=tenant,
                values=values,
                metadata=metadata,
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(
                request, _("The provider is trusted. Try it: sign out, and in again by its button.")
            )
            return go(request, reverse("access:rules"))
    return _form_page(request, form, _("New SAML provider"), saml=True)


@door("access.policy")
def change(request: SignedIn, provider: str) -> HttpResponse:
    """Change an identity provider."""
    found = queries.provider_at(*_place(request), provider)
    saml = found.kind == ProviderKind.SAML
    initial = {
        "name": found.name,
        "client_id": found.client_id,
        "domains": ", ".join(found.domains),
        "role": found.role,
    }
    kind = SamlForm if saml else ProviderForm
    data = request.POST if request.method == "POST" else None
    form = kind(data, initial=initial, roles=_roles(request), known=True)
    if request.method == "POST" and form.is_valid():
        try:
            _changed(found, dict(form.cleaned_data), request)
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The provider is changed."))
            return go(request, reverse("access:rules"))
    return _form_page(request, form, found.name, found, saml=saml)


def _changed(found: Provider, values: dict[str, Any], request: SignedIn) -> None:
    more: dict[str, Any] = {"provider": found, "actor": request.actor, "now": clock.now()}
    if found.kind == ProviderKind.SAML:
        providers.change_saml_provider(metadata=values.pop("metadata"), values=values, **more)
    else:
        providers.change_provider(secret=values.pop("secret"), values=values, **more)


def _form_page(
    request: SignedIn,
    form: forms.Form,
    title: str,
    provider: Provider | None = None,
    *,
    saml: bool = False,
) -> HttpResponse:
    shown = {
        "form": form,
        "title": title,
        "provider": provider,
        "saml": saml,
        "back": saml_address(request) if saml else back_address(request),
        "own_name": own_name(request),
        "until": ends_at(provider.certificates) if provider and saml else None,
        "crumbs": crumbs(request, (_("Signing in"), reverse("access:rules")), (title, "")),
    }
    return page(request, "accounts/provider.html", shown, status=422 if form.errors else 200)


@door("access.policy")
def remove(request: SignedIn, provider: str) -> HttpResponse:
    """Trust an identity provider no more, after asking."""
    found = queries.provider_at(*_place(request), provider)
    refusal = ""
    if request.method == "POST":
        try:
            providers.remove_provider(provider=found, actor=request.actor, now=clock.now())
        except PortalError as error:
            refusal = _(error.message)
        else:
            messages.success(request, _("It is trusted no more."))
            return go(request, reverse("access:rules"))
    shown = {
        "provider": found,
        "refusal": refusal,
        "crumbs": crumbs(request, (_("Signing in"), reverse("access:rules")), (found.name, "")),
    }
    status = 409 if refusal else 200
    return page(request, "accounts/provider_remove.html", shown, part="dialog", status=status)
