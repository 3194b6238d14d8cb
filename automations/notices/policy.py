"""Who is told what: everybody who may see cases, as they wish or else as their role usually does."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from automations.notices.enums import URGENCY, About, Mail
from automations.notices.models import Rule
from tenants.access import queries as access
from tenants.access.queries import rights
from tenants.tenancy.queries import TenantRef

_DECIDES: Final = "inbox.decide"


@dataclass(frozen=True, slots=True)
class Wish:
    """How somebody is told about something."""

    about: About
    bell: bool
    mail: Mail
    least: str

    def wants(self, severity: str) -> bool:
        """Whether a case of this severity is told at all."""
        return URGENCY.get(severity, 0) >= URGENCY.get(self.least, 0)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may be told, with what they are told and how; `zone` is where their morning is."""

    user_id: UUID
    zone: str
    wishes: dict[About, Wish]


def default(about: About, *, decides: bool) -> Wish:
    """How somebody is told who has said nothing: cases in general only where one decides them."""
    if about == About.OPENED:
        return Wish(about, decides, Mail.DAILY if decides else Mail.OFF, "high")
    return Wish(about, bell=True, mail=Mail.SOON if about == About.ASSIGNED else Mail.OFF, least="normal")


def readers(tenant: TenantRef) -> list[Reader]:
    """Everybody of a client who may see all cases; the partner's staff only as far as they asked for it."""
    given = {(rule.user_id, rule.about): rule for rule in Rule.objects.all()}
    found: dict[UUID, Reader] = {}
    for tenant_id in (tenant.id, None):
        for member in access.people_of(partner_id=tenant.partner_id, tenant_id=tenant_id):
            may = rights.permissions_of(member.role, member.custom, in_tenant=True)
            if member.scoped:
                continue  # a notice tells of a case before anybody asks how far its reader can see
            if not member.user.is_active or "inbox.read" not in may or member.user_id in found:
                continue
            decides = tenant_id is not None and _DECIDES in may
            found[member.user_id] = Reader(
                member.user_id,
                member.user.timezone or tenant.timezone,
                {about: wish(given.get((member.user_id, about)), about, decides=decides) for about in About},
            )
    return list(found.values())


def wish(rule: Rule | None, about: About, *, decides: bool) -> Wish:
    """What a rule says, or what holds without one."""
    if rule is None:
        return default(about, decides=decides)
    return Wish(about, rule.bell, Mail(rule.mail), rule.least)
