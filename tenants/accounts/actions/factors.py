"""Second factors: an authenticator app (RFC 6238), recovery codes, and taking any of them away."""

import base64
import hmac
import secrets as random
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q

from kernel import secrets
from kernel.actor import Actor
from kernel.errors import Invalid
from kernel.models import Row
from tenants.access.actions.roles import check_standing
from tenants.access.models import Membership, User
from tenants.access.queries import digest
from tenants.accounts.actions import visits
from tenants.accounts.enums import FactorKind
from tenants.accounts.errors import NotYours, WrongCode
from tenants.accounts.models import Factor, Identity, RecoveryCode
from tenants.accounts.queries import app_of, belongs_beyond
from tenants.audit.actions import record
from tenants.tenancy import context

PURPOSE: Final = "second_factor"
STEP_SECONDS: Final = 30
_AROUND: Final = 1
"""A clock may go wrong by so many steps."""
CODES: Final = 10
SHORTEST_REASON: Final = 10
_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"


def new_secret() -> str:
    """A secret for an authenticator app, in base 32."""
    return base64.b32encode(random.token_bytes(20)).decode()


def code_at(secret: str, step: int) -> str:
    """The six digits of a step."""
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    start = mac[-1] & 15
    return f"{(int.from_bytes(mac[start : start + 4], 'big') & 0x7FFF_FFFF) % 1_000_000:06d}"


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    present = int(now.timestamp()) // STEP_SECONDS
    fitting = None
    for step in range(present - _AROUND, present + _AROUND + 1):
        if hmac.compare_digest(code_at(secret, step), code):
            fitting = step
    return fitting


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A new factor, and recovery codes where these are the first."""

    factor: Factor
    codes: list[str]


def add_app(*, user: User, secret: str, code: str, actor: Actor, now: datetime) -> Enrolled:
    """Let an authenticator app count from now on, in place of an earlier one. Raises WrongCode where `code` is not its.

    With the first factor come recovery codes.
    """
    step = _step_of(secret, _digits(code), now)
    if step is None:
        raise WrongCode(fields={"code": [str(WrongCode.__doc__)]})
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        Factor.objects.filter(user=user, kind=FactorKind.TOTP).delete()
        made = Factor(
            user=user, kind=FactorKind.TOTP, name="Authenticator app", created_at=now, last_step=step
        )
        with context.leave():
            made.secret = secrets.keep(secret.encode(), row=made.id, version=1, purpose=PURPOSE)
        made.save(force_insert=True)
        record(actor=actor, action="accounts.add_factor", obj=made, now=now, after={"kind": made.kind})
        return Enrolled(made, first_codes(user, now))


def first_codes(user: User, now: datetime) -> list[str]:
    """Recovery codes where a person has none yet; within the act that adds a factor."""
    return [] if RecoveryCode.objects.filter(user=user, used_at__isnull=True).exists() else _fresh(user, now)


def _fresh(user: User, now: datetime) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    made = ["".join(random.choice(_LETTERS) for _ in range(12)) for _ in range(CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, digest=digest(f"{user.pk}:{code}"), created_at=now) for code in made
    )
    return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in made]


def renew_codes(*, user: User, actor: Actor, now: datetime) -> list[str]:
    """New recovery codes; the ones before stop working."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        made = _fresh(user, now)
        record(actor=actor, action="accounts.renew_codes", obj=user, now=now, after={"codes": len(made)})
    return made


def show(*, user: User, code: str, now: datetime) -> str:
    """Accept a code of the app, or a recovery code: `app` or `recovery`. Each works once. Raises WrongCode."""
    typed = "".join(letter for letter in code.lower() if letter.isalnum())
    if len(typed) == 6 and typed.isdigit():
        _use_app(user, typed, now)
        return "app"
    used = RecoveryCode.objects.filter(
        user=user, digest=digest(f"{user.pk}:{typed}"), used_at__isnull=True
    ).update(used_at=now)
    if not used:
        raise WrongCode
    return "recovery"


def _use_app(user: User, code: str, now: datetime) -> None:
    app = app_of(user)
    if app is None:
        raise WrongCode
    with context.leave():
        secret = secrets.opened(bytes(app.secret or b""), row=app.id, version=1, purpose=PURPOSE).decode()
    step = _step_of(secret, code, now)
    # whoever writes the step first has used the code; a second one finds it used
    if step is None or not Factor.objects.filter(pk=app.pk, last_step__lt=step).update(
        last_step=step, used_at=now
    ):
        raise WrongCode


def remove(*, factor: Factor, actor: Actor, now: datetime) -> None:
    """Take a second factor away; with the last one the recovery codes go."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=factor.user_id)
        record(
            actor=actor,
            action="accounts.remove_factor",
            obj=factor,
            now=now,
            before={"kind": factor.kind, "name": factor.name},
        )
        factor.delete()
        if not Factor.objects.filter(user_id=factor.user_id).exists():
            RecoveryCode.objects.filter(user_id=factor.user_id).delete()


def reset(*, user: User, reason: str, actor: Actor, now: datetime) -> int:
    """Take all second factors of a person away who has lost them; an operator does it, and says why."""
    actor.require("platform.partners")
    return _reset(user, user, reason, actor, now)


def reset_member(*, membership: Membership, reason: str, actor: Actor, now: datetime) -> int:
    """The same, by an admin of the one place where the person has anything to do; their sessions are over.

    Raises MoreThanOwn, and NotYours for oneself and for somebody who belongs elsewhere too.
    """
    actor.require("access.people")
    check_standing(membership, actor)
    user = membership.user
    if user.pk == actor.user_id or belongs_beyond(user, membership.partner_id, membership.tenant_id):
        raise NotYours
    if len(reason.strip()) < SHORTEST_REASON:
        raise Invalid(fields={"reason": ["Say how you know that it is them, in ten letters at least."]})
    return _reset(user, membership, reason, actor, now)


def _reset(user: User, about: Row, reason: str, actor: Actor, now: datetime) -> int:
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        count = Factor.objects.filter(user=user).count()
        Factor.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(Q(user=user)).delete()
        visits.end_all(user=user, now=now)
        record(
            actor=actor,
            action="accounts.reset_factors",
            obj=about,
            now=now,
            before={"factors": count},
            reason=reason.strip(),
            partner_id=getattr(about, "partner_id", None),
        )
    return count


def start_afresh(*, user: User, now: datetime) -> None:
    """Somebody has proved by a mail that this login is theirs: what was set up on it before, by whomever, is void."""
    with transaction.atomic():
        Factor.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(user=user).delete()
        Identity.objects.filter(user=user).delete()
        visits.end_all(user=user, now=now)


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())
