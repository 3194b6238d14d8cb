"""Host names of a partner's own: claimed, proven by a text record, served, checked every day, released.

Nothing is served under a name before its zone says so. A name that was released stays its last partner's for a month:
links and certificates of yesterday must not lead into somebody else's portal.
"""

import ipaddress
import re
import secrets as random
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import idna
from django.conf import settings
from django.db import IntegrityError, transaction

from kernel import dns
from kernel.actor import Actor, system
from kernel.errors import Conflict, Invalid
from tenants.audit.actions import record
from tenants.branding import queries
from tenants.branding.errors import HostTaken, NotProven
from tenants.branding.models import DomainClaim, ReleasedDomain
from tenants.tenancy.models import Domain, Partner, Tenant
from tenants.tenancy.queries import at, forget_hosts

QUARANTINE: Final = timedelta(days=30)
GRACE: Final = timedelta(days=3)
"""A proof that is gone that long takes the name off the portal."""
_PATIENCE: Final = timedelta(days=14)
_MOST: Final = 50
_LABEL: Final = re.compile(r"^(?!-)[a-z0-9-]{1,63}(?<!-)$")
_RESERVED: Final = ("localhost", "local", "internal", "invalid", "test", "onion", "arpa", "home", "lan")


def claim_domain(
    *, partner: Partner, tenant: Tenant | None, host: str, actor: Actor, now: datetime
) -> DomainClaim:
    """A new claim, with the nonce that proves it. Raises Invalid, naming the field, HostTaken and Conflict."""
    actor.require("branding.edit")
    name = _checked(host)
    _require_free(name, partner, now)
    if DomainClaim.objects.filter(partner=partner).count() >= _MOST:
        raise Conflict(f"there are {_MOST} domains already")
    try:
        with transaction.atomic():
            claim = DomainClaim.objects.create(
                host=name,
                partner=partner,
                tenant=tenant,
                nonce=random.token_urlsafe(24),
                created_at=now,
            )
            _record("branding.claim_domain", claim, actor, now, after={"host": name})
    except IntegrityError as error:
        raise Invalid(fields={"host": [f"{name} is claimed already."]}) from error
    return claim


def _checked(host: str) -> str:
    """`host` as it stands in the name system. Raises Invalid for what is no name of somebody's own."""
    try:
        name = idna.encode(host.strip().rstrip("."), uts46=True).decode().lower()
    except idna.IDNAError:
        name = ""
    labels = name.split(".")
    own = settings.BASE_DOMAIN.lower()
    if (
        len(name) > 253
        or len(labels) < 2
        or not all(_LABEL.match(label) for label in labels)
        or labels[-1].isdigit()
        or labels[-1] in _RESERVED
        or _is_address(name)
    ):
        raise Invalid(fields={"host": ["Use a name such as portal.example.com."]})
    if name == own or name.endswith(f".{own}"):
        raise Invalid(fields={"host": ["Names under the portal's own address are given out by the portal."]})
    return name


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _require_free(name: str, partner: Partner, now: datetime) -> None:
    """Raises HostTaken where the name, or one above it, is another partner's, or was until lately."""
    labels = name.split(".")
    above = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    if Domain.objects.filter(host=name).exists():
        raise HostTaken(fields={"host": [f"{name} is in use."]})
    if Domain.objects.filter(host__in=above).exclude(partner=partner).exists():
        raise HostTaken(fields={"host": [f"{name} lies under a name of somebody else."]})
    if ReleasedDomain.objects.filter(host=name, until__gt=now).exclude(partner=partner).exists():
        raise HostTaken(fields={"host": [f"{name} was somebody else's until lately."]})


def verify_domain(*, claim: DomainClaim, actor: Actor, now: datetime) -> DomainClaim:
    """Look for the proof, and serve the name from now on. Raises NotProven, HostTaken and NameServersSilent."""
    actor.require("branding.edit")
    proven = _is_proven(claim)
    with transaction.atomic():
        row = DomainClaim.objects.select_for_update().get(pk=claim.pk)
        row.checked_at = now
        row.problem = "" if proven else "the text record is not there"
        if not proven:
            row.save(update_fields=["checked_at", "problem"])
    if not proven:
        raise NotProven(f"no text record of {queries.proof_name(claim.host)} has the value yet")
    if row.verified_at is None:
        _serve(row, actor, now)
    return row


def _is_proven(claim: DomainClaim) -> bool:
    found = dns.texts(queries.proof_name(claim.host), settings.DNS_SERVERS)
    return queries.proof_value(claim) in found


def _serve(row: DomainClaim, actor: Actor, now: datetime) -> None:
    _require_free(row.host, row.partner, now)
    try:
        with transaction.atomic():
            Domain.objects.create(
                host=row.host,
                partner=row.partner,
                tenant=row.tenant,
                is_primary=False,
                verified_at=now,
                created_at=now,
            )
            row.verified_at, row.failing_since = now, None
            row.save()
            ReleasedDomain.objects.filter(host=row.host).delete()
            _record("branding.verify_domain", row, actor, now, after={"host": row.host})
    except IntegrityError as error:
        raise HostTaken(fields={"host": [f"{row.host} is in use."]}) from error
    forget_hosts()


def make_primary(*, partner: Partner, tenant: Tenant | None, host: str, actor: Actor, now: datetime) -> None:
    """Let links use this name, and pages under the others lead to it. Raises Conflict for one that is not served."""
    actor.require("branding.edit")
    with transaction.atomic():
        here = Domain.objects.select_for_update().filter(at(partner.id, tenant.id if tenant else None))
        rows = {row.host: row for row in here}
        chosen = rows.get(host)
        if chosen is None or chosen.verified_at is None:
            raise Conflict("only a name that is served can be the first one")
        before = next((row.host for row in rows.values() if row.is_primary), "")
        _set_primary(list(rows.values()), chosen)
        record(
            actor=actor,
            action="branding.make_primary",
            obj=chosen,
            now=now,
            before={"primary": before},
            after={"primary": host},
            partner_id=partner.id,
        )
    forget_hosts()


def _set_primary(rows: list[Domain], chosen: Domain) -> None:
    """One after the other: two first names at a time are refused by the table."""
    for row in rows:
        if row.is_primary and row.pk != chosen.pk:
            Domain.objects.filter(pk=row.pk).update(is_primary=False)
    Domain.objects.filter(pk=chosen.pk).update(is_primary=True)


def release_domain(*, claim: DomainClaim, actor: Actor, now: datetime) -> None:
    """Give a name back: it is served no more, and for a month nobody else may claim it."""
    actor.require("branding.edit")
    with transaction.atomic():
        row = (
            DomainClaim.objects.select_for_update(of=("self",))
            .select_related("partner", "tenant")
            .get(pk=claim.pk)
        )
        if row.verified_at is not None:
            _take_off(row)
            Domain.objects.filter(host=row.host, partner=row.partner).delete()
            ReleasedDomain.objects.update_or_create(
                host=row.host,
                defaults={"partner": row.partner, "released_at": now, "until": now + QUARANTINE},
            )
        _record("branding.release_domain", row, actor, now, before={"host": row.host})
        row.delete()
    forget_hosts()


def _take_off(row: DomainClaim) -> None:
    """Let the portal's own name be the first one again where this was it."""
    here = Domain.objects.select_for_update().filter(at(row.partner_id, row.tenant_id))
    rows = list(here)
    mine = next((one for one in rows if one.host == row.host), None)
    if mine is not None and mine.is_primary:
        own = next(one for one in rows if one.host.endswith(f".{settings.BASE_DOMAIN}"))
        _set_primary(rows, own)


def recheck_domain(*, claim_id: UUID, now: datetime) -> None:
    """Look for a proof once more; a name whose proof is gone for days is served no more until it is back."""
    row = DomainClaim.objects.select_related("partner", "tenant").filter(pk=claim_id).first()
    if row is None:
        return
    by = system("domains")
    if row.verified_at is None:
        try:
            verify_domain(claim=row, actor=by, now=now)
        except (NotProven, HostTaken, dns.NameServersSilent) as error:
            DomainClaim.objects.filter(pk=row.pk).update(checked_at=now, problem=error.message[:300])
        return
    try:
        proven = _is_proven(row)
    except dns.NameServersSilent:
        proven = True  # a silent server says nothing about the record
    failing = None if proven else (row.failing_since or now)
    problem = "" if proven else "the text record is gone"
    DomainClaim.objects.filter(pk=row.pk).update(checked_at=now, failing_since=failing, problem=problem)
    if failing is not None and now - failing >= GRACE:
        _lose(row, by, now)


def _lose(row: DomainClaim, by: Actor, now: datetime) -> None:
    with transaction.atomic():
        _take_off(row)
        Domain.objects.filter(host=row.host, partner=row.partner).delete()
        DomainClaim.objects.filter(pk=row.pk).update(verified_at=None, created_at=now)
        ReleasedDomain.objects.update_or_create(
            host=row.host, defaults={"partner": row.partner, "released_at": now, "until": now + QUARANTINE}
        )
        _record("branding.lose_domain", row, by, now, before={"host": row.host}, after={"why": "no proof"})
    forget_hosts()


def forget_claims(*, now: datetime) -> int:
    """Forget claims that nobody proved, and quarantines that are over; how many rows."""
    gone = DomainClaim.objects.filter(verified_at__isnull=True, created_at__lt=now - _PATIENCE).delete()[0]
    return gone + ReleasedDomain.objects.filter(until__lt=now).delete()[0]


def _record(action: str, claim: DomainClaim, actor: Actor, now: datetime, **more: dict[str, str]) -> None:
    whose = {"of": claim.tenant.name if claim.tenant else claim.partner.name}
    named = {name: {**value, **whose} for name, value in more.items()}
    record(
        actor=actor,
        action=action,
        obj=claim,
        now=now,
        before=named.get("before"),
        after=named.get("after"),
        partner_id=claim.partner_id,
    )
