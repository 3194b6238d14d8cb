"""What can be done about people: sign in, invite, set a role, remove, make a token, hand over to another host."""

import hmac
import secrets as random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib.auth import authenticate
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from kernel import jsonx, locks, masters
from kernel import secrets as sealing
from kernel.actor import Actor
from tenants.access.actions.granting import grant as grant
from tenants.access.actions.granting import withdraw as withdraw
from tenants.access.actions.inviting import invite
from tenants.access.actions.roles import AnyRole, check_role, check_standing, word_of
from tenants.access.actions.tokens import make_token as make_token
from tenants.access.actions.tokens import revoke_token as revoke_token
from tenants.access.actions.tokens import rotate_token as rotate_token
from tenants.access.enums import Role
from tenants.access.errors import (
    AlreadyMember,
    BadCredentials,
    HandoffSpent,
    KeyBusy,
    KeyReused,
    LastAdmin,
)
from tenants.access.models import CustomRole, Handoff, IdempotentRequest, Membership, User
from tenants.access.queries import digest
from tenants.audit.actions import record
from tenants.tenancy.models import Partner, Tenant
from tenants.tenancy.queries import at

HANDOFF_SECONDS: Final = 60
ANSWERS_KEPT: Final = timedelta(hours=24)
HANDOFFS_SHOWN: Final = timedelta(days=1)
"""A pass that is over is still told apart from one that never was for so long."""


def sign_in(*, email: str, password: str, request: HttpRequest) -> User:
    """The person with this e-mail and password. Raises BadCredentials, after the same work for an unknown e-mail."""
    user = authenticate(request, username=email.strip(), password=password)
    if not isinstance(user, User):
        raise BadCredentials
    return user


def add_member(
    *,
    partner: Partner,
    tenant: Tenant | None,
    email: str,
    name: str,
    role: AnyRole,
    actor: Actor,
    now: datetime,
) -> Membership:
    """Give a person a role here and have them invited; an unknown e-mail becomes a person.

    Raises RoleNotHere, MoreThanOwn, ToxicPair and AlreadyMember.
    """
    actor.require("access.people")
    check_role(role, partner_id=partner.id, tenant_id=tenant.id if tenant else None, actor=actor)
    try:
        with transaction.atomic():
            user = User.objects.filter(email__iexact=email.strip()).first()
            if user is None:
                user = User.objects.create_user(email, name=name)
            membership = Membership.objects.create(
                user=user, partner=partner, tenant=tenant, **_columns(role), created_at=now
            )
            record(
                actor=actor,
                action="access.add_member",
                obj=membership,
                now=now,
                after={"email": user.email, "role": str(role)},
                partner_id=partner.id,
            )
            invite(membership=membership, actor=actor, now=now)
    except IntegrityError as error:
        raise AlreadyMember(fields={"email": [f"{email} is a member already."]}) from error
    return membership


def _columns(role: AnyRole) -> dict[str, Any]:
    """The columns of a membership that say its role."""
    return {"role": word_of(role), "custom": role if isinstance(role, CustomRole) else None}


def set_role(*, membership: Membership, role: AnyRole, actor: Actor, now: datetime) -> Membership:
    """Change a person's role here. Raises RoleNotHere, MoreThanOwn, ToxicPair and LastAdmin."""
    actor.require("access.people")
    check_role(role, partner_id=membership.partner_id, tenant_id=membership.tenant_id, actor=actor)
    with transaction.atomic():
        membership = _held(membership)
        check_standing(membership, actor)
        before, columns = membership.role_said, _columns(role)
        if (membership.role, membership.custom) != tuple(columns.values()):
            keep_one_admin(membership)
            membership.role, membership.custom = columns.values()
            membership.save(update_fields=["role", "custom"])
            record(
                actor=actor,
                action="access.set_role",
                obj=membership,
                now=now,
                before={"role": before},
                after={"role": membership.role_said},
                partner_id=membership.partner_id,
            )
    return membership


def _held(membership: Membership) -> Membership:
    """The row of a membership, held to the end of the transaction."""
    return (
        Membership.objects.select_for_update(of=("self",))
        .select_related("user", "custom")
        .get(pk=membership.pk)
    )


def remove_member(*, membership: Membership, actor: Actor, now: datetime) -> None:
    """Take a person's role here away; it is gone at their next request. Raises MoreThanOwn and LastAdmin."""
    actor.require("access.people")
    with transaction.atomic():
        membership = _held(membership)
        check_standing(membership, actor)
        end_membership(membership=membership, actor=actor, now=now)


def end_membership(*, membership: Membership, actor: Actor, now: datetime) -> None:
    """Let a membership end in the caller's transaction, which has asked whether the actor may. Raises LastAdmin."""
    keep_one_admin(membership)
    record(
        actor=actor,
        action="access.remove_member",
        obj=membership,
        now=now,
        before={"email": membership.user.email, "role": membership.role_said},
        partner_id=membership.partner_id,
    )
    membership.delete()


def keep_one_admin(leaving: Membership) -> None:
    if leaving.role not in (Role.PARTNER_ADMIN, Role.TENANT_ADMIN):
        return
    others = (
        Membership.objects.select_for_update(of=("self",))
        .filter(at(leaving.partner_id, leaving.tenant_id), role=leaving.role, user__is_active=True)
        .exclude(pk=leaving.pk)
    )
    if not others.exists():
        raise LastAdmin


def issue_handoff(*, user_id: UUID, host: str, now: datetime) -> str:
    """A pass for one sign-in of this person on `host`, within a minute."""
    text = random.token_urlsafe(32)
    Handoff.objects.create(
        user_id=user_id, host=host, digest=digest(text), expires_at=now + timedelta(seconds=HANDOFF_SECONDS)
    )
    return text


def redeem_handoff(*, text: str, host: str, now: datetime) -> User:
    """The person behind a pass for `host`; works once. Raises HandoffSpent."""
    with transaction.atomic():
        spent = Handoff.objects.filter(
            digest=digest(text), host=host, used_at__isnull=True, expires_at__gt=now, user__is_active=True
        ).update(used_at=now)
        if not spent:
            raise HandoffSpent
        return Handoff.objects.select_related("user").get(digest=digest(text)).user


def set_preferences(*, user: User, values: dict[str, str], actor: Actor, now: datetime) -> User:
    """Set name, language, time zone, looks and what a person wants no more of; only they do it themselves."""
    allowed = ("name", "language", "timezone", "theme", "density", "steps_away")
    with transaction.atomic():
        before = {field: getattr(user, field) for field in allowed}
        for field in allowed:
            if field in values:
                setattr(user, field, values[field])
        user.save(update_fields=list(allowed))
        after = {field: getattr(user, field) for field in allowed}
        if before != after:
            record(
                actor=actor, action="access.set_preferences", obj=user, now=now, before=before, after=after
            )
    return user


def set_password(*, user: User, password: str, actor: Actor, now: datetime) -> None:
    """Set a person's password; every other session of theirs ends, since sessions are bound to it."""
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        record(actor=actor, action="access.set_password", obj=user, now=now)


def set_active(*, user: User, active: bool, reason: str, actor: Actor, now: datetime) -> User:
    """Keep a person out of every portal from their next request on, or let them in again; their roles stay."""
    actor.require("platform.partners")
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        if user.is_active != active:
            user.is_active = active
            user.save(update_fields=["is_active"])
            record(
                actor=actor,
                action="access.set_active",
                obj=user,
                now=now,
                before={"active": not active},
                after={"active": active},
                reason=reason,
            )
    return user


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A request that came with an Idempotency-Key: who sent it where, its key, and a digest of what it asks for."""

    owner_id: UUID
    partner_id: UUID
    tenant_id: UUID | None
    key: str
    fingerprint: str

    @property
    def place(self) -> dict[str, object]:
        """The columns that tell it from every other."""
        return {
            "owner_id": self.owner_id,
            "partner_id": self.partner_id,
            "tenant_id": self.tenant_id,
            "digest": digest(self.key),
        }

    @property
    def seals(self) -> list[bytes]:
        """Keys under which its answer may be sealed, the present one first: each takes a master key and its own key."""
        own = f"idempotent:{self.key}".encode()
        return [hmac.digest(text.encode(), own, "sha256") for text in masters.ring().texts()]

    def opened(self, answer: bytes) -> bytes:
        """An answer that was kept, also where the master key has changed since. Raises SecretUnreadable."""
        for key in self.seals:
            try:
                return sealing.unseal(key, answer, self.owner_id)
            except sealing.SecretUnreadable:
                continue
        raise sealing.SecretUnreadable("the master key that sealed this answer is forgotten")


def answered(*, request: Repeatable, now: datetime) -> tuple[int, object] | None:
    """(status, body) that such a request was answered with in the last 24 hours; None for a new one.

    The key of a new one is held to the end of the caller's transaction. Raises KeyBusy while another request holds
    it, and KeyReused where it came with another request before.
    """
    if not locks.try_lock_until_commit("idempotency", *request.place.values()):
        raise KeyBusy(retry_after=1)
    found = IdempotentRequest.objects.filter(**request.place, created_at__gt=now - ANSWERS_KEPT).first()
    if found is None:
        return None
    if found.fingerprint != request.fingerprint:
        raise KeyReused
    return found.status, jsonx.loads(request.opened(bytes(found.answer)))


def keep_answer(*, request: Repeatable, status: int, body: object, now: datetime) -> None:
    """Keep the answer in the transaction of what it tells of; one that was kept for 24 hours gives way to it."""
    IdempotentRequest.objects.filter(**request.place, created_at__lte=now - ANSWERS_KEPT).delete()
    IdempotentRequest.objects.create(
        **request.place,
        fingerprint=request.fingerprint,
        status=status,
        answer=sealing.seal(request.seals[0], jsonx.dumps(body), request.owner_id),
        created_at=now,
    )


def forget_expired(*, now: datetime, most: int = 10_000) -> int:
    """Delete passes, kept answers and sessions whose time is over, up to `most` of each; how many those were."""
    over: tuple[QuerySet[Any], ...] = (
        Handoff.objects.filter(expires_at__lt=now - HANDOFFS_SHOWN),
        IdempotentRequest.objects.filter(created_at__lte=now - ANSWERS_KEPT),
        Session.objects.filter(expire_date__lt=now),
    )
    return sum(
        QuerySet(rows.model).filter(pk__in=list(rows.values_list("pk", flat=True)[:most])).delete()[0]
        for rows in over
    )
