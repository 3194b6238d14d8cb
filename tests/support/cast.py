"""The cast of every test: two partners with one client each, and a person in every role.

They are made once by the real provisioning path, into the template that test databases are copied from, and are
loaded anew for each test. Hollis is the tenant of most tests; Arbor belongs to another partner and must stay as it is.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command

from kernel import clock, jobs
from kernel.actor import Actor, system
from tenants.access import actions as access
from tenants.access.enums import Role, Staff
from tenants.access.models import User
from tenants.access.queries import actor_for
from tenants.tenancy import actions as tenancy
from tenants.tenancy import queries
from tenants.tenancy.enums import JobState
from tenants.tenancy.models import Partner, ProvisioningJob, Tenant
from tenants.tenancy.queries import HostRef, PartnerRef, TenantRef

MADE_AT: Final = datetime(2026, 1, 5, 8, tzinfo=UTC)
NOW: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
PASSWORD: Final = "a long pass phrase of the cast"
_BY: Final = system("cast")

_IN_HOLLIS: Final = {
    "owner": ("Orla Owner", Role.TENANT_ADMIN),
    "manager": ("Malik Manager", Role.OPERATIONS_MANAGER),
    "reviewer": ("Rosa Reviewer", Role.REVIEWER),
    "colleague": ("Colin Colleague", Role.REVIEWER),
    "staff": ("Stella Staff", Role.STORE_STAFF),
    "analyst": ("Anton Analyst", Role.ANALYST),
    "auditor": ("Aisha Auditor", Role.AUDITOR),
}
_AT_MERIDIAN: Final = {
    "partner_admin": ("Paula Partner", Role.PARTNER_ADMIN),
    "partner_engineer": ("Emil Engineer", Role.PARTNER_ENGINEER),
}


@dataclass(frozen=True)
class Cast:
    """Who plays in a test. Only `owner`, `operator` and `stranger` have a password (`PASSWORD`)."""

    partner: PartnerRef
    tenant: TenantRef
    other_partner: PartnerRef
    other_tenant: TenantRef

    operator: User
    partner_admin: User
    partner_engineer: User
    owner: User
    manager: User
    reviewer: User
    colleague: User
    staff: User
    analyst: User
    auditor: User
    stranger: User
    other_partner_admin: User
    other_owner: User

    platform_host: str
    partner_host: str
    host: str
    other_partner_host: str
    other_host: str

    def actor(self, user: User, host: str = "") -> Actor:
        """`user` as the doer of what happens on `host`, or in Hollis."""
        return actor_for(
            user,
            self.place(host or self.host),
            staff=Staff.CONSOLE,
            request_id="test-request",
            address="127.0.0.1",
        )

    def place(self, host: str) -> HostRef:
        """Where `host` leads."""
        return queries.host(host, settings.BASE_DOMAIN)


def make() -> None:
    """Migrate an empty database and make the cast in it."""
    with clock.hold(MADE_AT), jobs.recorded() as recorded:
        call_command("upgrade", stdout=_Silence())
        User.objects.create_user(
            "operator@cast.test", "Olga Operator", PASSWORD, is_staff=True, is_superuser=True
        )
        User.objects.create_user("stranger@cast.test", "Stefan Stranger", PASSWORD)
        meridian = _partner("meridian", "Meridian Retail Systems", _AT_MERIDIAN)
        lumen = _partner(
            "lumen", "Lumen Commerce", {"other_partner_admin": ("Lena Lumen", Role.PARTNER_ADMIN)}
        )
        _tenant(meridian, "hollis", "Hollis Home", _IN_HOLLIS)
        _tenant(lumen, "arbor", "Arbor Outdoor", {"other_owner": ("Arno Arbor", Role.TENANT_ADMIN)})
        recorded.run_all()
        owner = User.objects.get(email="owner@cast.test")
        owner.set_password(PASSWORD)
        owner.save()
    unfinished = ProvisioningJob.objects.exclude(state=JobState.DONE).values_list("error", flat=True)
    assert not unfinished, f"provisioning left a tenant behind: {list(unfinished)}"


def load() -> Cast:
    """The cast, read from the test database."""
    people = {
        user.email.partition("@")[0]: user for user in User.objects.filter(email__endswith="@cast.test")
    }
    partners = {partner.slug: queries.partner_ref(partner) for partner in Partner.objects.all()}
    tenants = {tenant.slug: queries.ref_of(tenant) for tenant in Tenant.objects.all()}
    base = settings.BASE_DOMAIN
    return Cast(
        partner=partners["meridian"],
        tenant=tenants["hollis"],
        other_partner=partners["lumen"],
        other_tenant=tenants["arbor"],
        platform_host=base,
        partner_host=f"meridian.{base}",
        host=f"hollis.meridian.{base}",
        other_partner_host=f"lumen.{base}",
        other_host=f"arbor.lumen.{base}",
        **people,
    )


def _partner(slug: str, name: str, people: dict[str, tuple[str, Role]]) -> Partner:
    partner = tenancy.create_partner(slug=slug, name=name, actor=_BY, now=MADE_AT)
    for who, (full_name, role) in people.items():
        access.add_member(
            partner=partner,
            tenant=None,
            email=f"{who}@cast.test",
            name=full_name,
            role=role,
            actor=_BY,
            now=MADE_AT,
        )
    return partner


def _tenant(partner: Partner, slug: str, name: str, people: dict[str, tuple[str, Role]]) -> None:
    tenancy.request_tenant(
        partner=partner,
        name=name,
        slug=slug,
        people=[
            {"email": f"{who}@cast.test", "name": full_name, "role": role}
            for who, (full_name, role) in people.items()
        ],
        actor=_BY,
        now=MADE_AT,
    )


class _Silence:
    """Where a command's words go that nobody reads."""

    def write(self, _: str) -> Any:
        """Nothing."""
