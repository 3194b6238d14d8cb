"""API tokens: made, renewed while the old one lives on for a chosen time, and ended. Their texts are shown once."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from kernel import apikeys
from kernel.actor import Actor
from kernel.errors import Invalid
from tenants.access import catalog
from tenants.access.actions.roles import check_rights
from tenants.access.errors import TokenOver
from tenants.access.models import ApiToken
from tenants.access.queries import digest
from tenants.audit.actions import record
from tenants.tenancy.models import Partner, Tenant

LONGEST_OVERLAP: Final = timedelta(days=30)


def make_token(
    *,
    partner: Partner,
    tenant: Tenant | None,
    name: str,
    scopes: list[str],
    expires_at: datetime | None,
    actor: Actor,
    now: datetime,
) -> tuple[ApiToken, str]:
    """A new API token and its text, which is shown this once.

    Raises Invalid for scopes beyond the actor's own and for an end that is past, and ToxicPair.
    """
    actor.require("access.tokens")
    if expires_at is not None and expires_at <= now:
        raise Invalid(fields={"expires_at": ["Choose an instant to come."]})
    _check_scopes(scopes, partner.id, tenant.id if tenant else None, actor)
    text = apikeys.new()
    with transaction.atomic():
        token = _written(text, partner, tenant, name, scopes, expires_at, actor, now)
        record(
            actor=actor,
            action="access.make_token",
            obj=token,
            now=now,
            after={"name": name, "scopes": sorted(scopes), "expires_at": expires_at},
            partner_id=partner.id,
        )
    return token, text


def rotate_token(*, token: ApiToken, overlap: timedelta, actor: Actor, now: datetime) -> tuple[ApiToken, str]:
    """Another token in place of this one, which goes on for `overlap`; and its text, which is shown this once.

    It has the same name, rights and length of life, and is of whoever asks for it. Raises TokenOver for one that is
    over or has been renewed, Invalid for too long an overlap and for rights beyond the actor's own, and ToxicPair.
    """
    actor.require("access.tokens")
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise Invalid(fields={"overlap": [f"At most {LONGEST_OVERLAP.days} days."]})
    text = apikeys.new()
    with transaction.atomic():
        old = ApiToken.objects.select_for_update(of=("self",)).get(pk=token.pk)
        if old.over(now) or old.replaced_by_id is not None:
            raise TokenOver
        _check_scopes(old.scopes, old.partner_id, old.tenant_id, actor)
        ends = now + (old.expires_at - old.created_at) if old.expires_at else None
        made = _written(text, old.partner, old.tenant, old.name, old.scopes, ends, actor, now)
        before = old.expires_at
        old.replaced_by, old.expires_at = made, min(filter(None, (before, now + overlap)))
        old.save(update_fields=["replaced_by", "expires_at"])
        record(
            actor=actor,
            action="access.rotate_token",
            obj=old,
            now=now,
            before={"expires_at": before},
            after={"expires_at": old.expires_at, "replaced_by": made.public_id, "new_expires_at": ends},
            partner_id=old.partner_id,
        )
    return made, text


def revoke_token(*, token: ApiToken, actor: Actor, now: datetime, reason: str = "") -> None:
    """End an API token; its next request is refused."""
    actor.require("access.tokens")
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now):
            record(
                actor=actor,
                action="access.revoke_token",
                obj=token,
                now=now,
                reason=reason,
                partner_id=token.partner_id,
            )


def _check_scopes(scopes: Collection[str], partner_id: UUID, tenant_id: UUID | None, actor: Actor) -> None:
    """Nobody gives a machine what they do not hold. Raises Invalid, MoreThanOwn and ToxicPair."""
    too_much = sorted(scope for scope in scopes if scope not in catalog.PERMISSIONS or not actor.may(scope))
    if too_much or not scopes:
        raise Invalid(
            fields={"scopes": [f"You cannot give {', '.join(too_much)}." if too_much else "Choose some."]}
        )
    check_rights(scopes, partner_id=partner_id, tenant_id=tenant_id, actor=actor, field="scopes")


def _written(
    text: str,
    partner: Partner,
    tenant: Tenant | None,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None,
    actor: Actor,
    now: datetime,
) -> ApiToken:
    return ApiToken.objects.create(
        partner=partner,
        tenant=tenant,
        name=name,
        digest=digest(text),
        hint=text[: apikeys.HINT],
        scopes=sorted(scopes),
        created_by_id=_person_behind(actor),
        created_at=now,
        expires_at=expires_at,
    )


def _person_behind(actor: Actor) -> UUID | None:
    """Whose standing a token that this actor makes shares: one that a token makes is of the person behind that one."""
    if actor.kind == "token" and actor.id is not None:
        return ApiToken.objects.values_list("created_by_id", flat=True).get(pk=actor.id)
    return actor.user_id
