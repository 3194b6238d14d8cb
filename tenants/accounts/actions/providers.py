"""Saying whose word counts at a place: its identity providers."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from kernel import secrets
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid
from tenants.access import catalog
from tenants.accounts.actions import saml, sign_on
from tenants.accounts.enums import SIGN_ON, ProviderKind
from tenants.accounts.errors import SignOnRefused, StillEnforced
from tenants.accounts.models import Provider
from tenants.accounts.queries import providers_at, rules_at
from tenants.audit.actions import record
from tenants.tenancy import context
from tenants.tenancy.models import Partner, Tenant

_SHOWN = ("name", "issuer", "client_id", "domains", "role")


def add_provider(
    *,
    partner: Partner,
    tenant: Tenant | None,
    values: dict[str, Any],
    secret: str,
    said: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> Provider:
    """Trust an identity provider from now on; `said` is what it answered when it was asked who it is (`metadata`).

    Raises Conflict for one that is here.
    """
    actor.require("access.policy")
    _check_role(tenant, str(values.get("role", "")))
    if said.get("issuer") != values["issuer"]:
        raise SignOnRefused
    made = Provider(
        partner=partner,
        tenant=tenant,
        created_at=now,
        checked_at=now,
        **{name: values[name] for name in _SHOWN},
    )
    with context.leave():
        made.client_secret = secrets.keep(secret.encode(), row=made.id, version=1, purpose=SIGN_ON)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
            record(
                actor=actor,
                action="accounts.add_provider",
                obj=made,
                now=now,
                after={name: values[name] for name in _SHOWN},
                partner_id=partner.id,
            )
    except IntegrityError as error:
        raise Conflict(fields={"issuer": ["This provider is here already."]}) from error
    return made


def add_saml_provider(
    *,
    partner: Partner,
    tenant: Tenant | None,
    values: dict[str, Any],
    metadata: str,
    actor: Actor,
    now: datetime,
) -> Provider:
    """Trust a SAML identity provider by its metadata from now on. Raises SignOnRefused, and Conflict for one here."""
    actor.require("access.policy")
    _check_role(tenant, str(values.get("role", "")))
    told = saml.trusted_by(metadata)
    sign_on.check_address(told.sso_url, field="metadata")
    made = Provider(
        kind=ProviderKind.SAML,
        partner=partner,
        tenant=tenant,
        issuer=told.issuer,
        sso_url=told.sso_url,
        certificates=told.certificates,
        created_at=now,
        checked_at=now,
        **{name: values[name] for name in ("name", "domains", "role")},
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
            record(
                actor=actor,
                action="accounts.add_provider",
                obj=made,
                now=now,
                after=_saml_shown(made),
                partner_id=partner.id,
            )
    except IntegrityError as error:
        raise Conflict(fields={"metadata": ["This provider is here already."]}) from error
    return made


def change_saml_provider(
    *, provider: Provider, values: dict[str, Any], metadata: str, actor: Actor, now: datetime
) -> Provider:
    """Change what a provider is called and speaks for; with `metadata` also where it is and what it signs with.

    Raises SignOnRefused, also for the metadata of another provider.
    """
    actor.require("access.policy")
    with transaction.atomic():
        row = Provider.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=provider.pk)
        _check_role(row.tenant, str(values.get("role", row.role)))
        before = _saml_shown(row)
        for name in ("name", "domains", "role"):
            setattr(row, name, values.get(name, getattr(row, name)))
        if metadata:
            told = saml.trusted_by(metadata)
            if told.issuer != row.issuer:
                raise SignOnRefused(fields={"metadata": ["This is the metadata of another provider."]})
            sign_on.check_address(told.sso_url, field="metadata")
            row.sso_url, row.certificates, row.checked_at = told.sso_url, told.certificates, now
        row.save()
        record(
            actor=actor,
            action="accounts.change_provider",
            obj=row,
            now=now,
            before=before,
            after=_saml_shown(row),
            partner_id=row.partner_id,
        )
    return row


def _saml_shown(row: Provider) -> dict[str, Any]:
    """What the audit keeps of it: of its certificates the digests."""
    kept = {name: getattr(row, name) for name in ("name", "issuer", "sso_url", "domains", "role")}
    return {**kept, "certificates": [hashlib.sha256(one.encode()).hexdigest() for one in row.certificates]}


def change_provider(
    *, provider: Provider, values: dict[str, Any], secret: str, actor: Actor, now: datetime
) -> Provider:
    """Change what a provider is called, speaks for and is called by; an empty `secret` stays as it was."""
    actor.require("access.policy")
    changeable = ("name", "client_id", "domains", "role")
    with transaction.atomic():
        row = Provider.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=provider.pk)
        _check_role(row.tenant, str(values.get("role", row.role)))
        before = {name: getattr(row, name) for name in changeable}
        for name in changeable:
            setattr(row, name, values.get(name, before[name]))
        if secret:
            with context.leave():
                row.client_secret = secrets.keep(secret.encode(), row=row.id, version=1, purpose=SIGN_ON)
        row.save()
        record(
            actor=actor,
            action="accounts.change_provider",
            obj=row,
            now=now,
            before={**before, "secret": "as it was"},
            after={
                **{name: getattr(row, name) for name in changeable},
                "secret": "new" if secret else "as it was",
            },
            partner_id=row.partner_id,
        )
    return row


def remove_provider(*, provider: Provider, actor: Actor, now: datetime) -> None:
    """Trust a provider no more; who came by it signs in another way. Raises StillEnforced for the last one there is."""
    actor.require("access.policy")
    with transaction.atomic():
        others = providers_at(provider.partner_id, provider.tenant_id).exclude(pk=provider.pk)
        if rules_at(provider.partner_id, provider.tenant_id).sign_on_only and not others.exists():
            raise StillEnforced
        record(
            actor=actor,
            action="accounts.remove_provider",
            obj=provider,
            now=now,
            before={name: getattr(provider, name) for name in _SHOWN},
            partner_id=provider.partner_id,
        )
        provider.delete()


def _check_role(tenant: Tenant | None, role: str) -> None:
    if role and role not in (catalog.TENANT_ROLES if tenant else catalog.PARTNER_ROLES):
        raise Invalid(fields={"role": ["This role does not exist at this level."]})
    if role in ("tenant_admin", "partner_admin"):
        raise Invalid(fields={"role": ["Nobody becomes an admin by signing in; give that role by hand."]})
