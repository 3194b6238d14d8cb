"""`manage.py seed_demo`: a partner, two clients made the way every client is made, people, connections, templates.

Safe to run again: what is there stays as it is. Prints the addresses and a login a role.
"""

import secrets as random
import time
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from automations.connectors import actions as connectors
from automations.connectors.models import Connection
from automations.events.actions import create_endpoint
from automations.events.models import Endpoint
from kernel import clock, http, jsonx
from kernel.actor import system
from kernel.http import Egress
from templates_lib.actions.installing import install
from templates_lib.models import Installation, TemplateVersion
from templates_lib.queries import defaults
from tenants.access import actions as access
from tenants.access.enums import Role
from tenants.access.models import Membership, User
from tenants.branding.models import Brand
from tenants.tenancy import actions as tenancy
from tenants.tenancy import context, queries
from tenants.tenancy.enums import JobState, TenantState
from tenants.tenancy.models import Partner, Tenant
from tenants.tenancy.queries import TenantRef

_ME: Final = system("demo")
_PARTNERS: Final = (
    ("meridian", "Meridian IT", "#5b5bd6", "light"),
    ("copperline", "Copperline Digital", "#ff8a1f", "dark"),
)
_TENANTS: Final = (
    ("meridian", "hollis", "Hollis & Grey", "Europe/London", "GBP"),
    ("meridian", "birchwood", "Birch & Wood Outdoor", "Europe/Berlin", "EUR"),
)
_STAFF: Final = (
    ("meridian", "pat@meridian.example", "Pat Lindqvist", Role.PARTNER_ADMIN),
    ("meridian", "sam@meridian.example", "Sam Abara", Role.PARTNER_ENGINEER),
    ("copperline", "rita@copperline.example", "Rita Kowalska", Role.PARTNER_ADMIN),
)
_CLIENTS: Final = (
    ("hollis", "alex@hollis.example", "Alex Hollis", Role.TENANT_ADMIN),
    ("hollis", "jess@hollis.example", "Jess Okafor", Role.OPERATIONS_MANAGER),
    ("hollis", "robin@hollis.example", "Robin Vale", Role.REVIEWER),
    ("hollis", "ana@hollis.example", "Ana Duarte", Role.ANALYST),
    ("hollis", "omar@hollis.example", "Omar Haddad", Role.AUDITOR),
)
_OPERATOR: Final = ("operator@localhost.example", "Platform operator")
_PATIENCE: Final = 60.0


class Command(BaseCommand):
    """Fills an empty installation with something to look at."""

    help = "Make the demo's partner, clients, people, connections and templates."

    def handle(self, *_: Any, **__: Any) -> None:
        """Make what is missing, then say where to go."""
        if not settings.PORTAL_DEMO:
            raise CommandError("PORTAL_DEMO is not 1; demo people have a password that is printed")
        password = _password()
        for slug, name, colour, sidebar in _PARTNERS:
            _partner(slug, name, colour, sidebar)
        for partner, slug, name, timezone, currency in _TENANTS:
            _tenant(partner, slug, name, timezone, currency)
        _people(password)
        hollis = queries.tenant_by_slug("meridian/hollis")
        self._systems(hollis)
        _watch(queries.tenant_by_slug("meridian/birchwood"))
        self.stdout.write(_where(password))

    def _systems(self, tenant: TenantRef) -> None:
        """The client's ERP and shop: the simulated estate, where it runs."""
        address = next((allowed for allowed in settings.EGRESS_ALLOW if allowed.startswith("127.0.0.1:")), "")
        key_file = settings.ENV.home / "keys" / "estate.key"
        if not address or not key_file.exists():
            self.stderr.write("no simulated estate here: orders do not flow by themselves")
            return
        erp = _erp(tenant, f"http://{address}", key_file.read_text().strip())
        _watch(tenant)
        _install(tenant, "order-to-erp", {"erp": str(erp.id)})
        _feed(tenant, f"http://{address}")


def _password() -> str:
    """One password for all demo people, made once for this installation."""
    path = settings.ENV.home / "keys" / "demo.password"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"{random.choice(('amber', 'cedar', 'river', 'stone'))}-{random.token_hex(4)}")
    return path.read_text().strip()


def _partner(slug: str, name: str, colour: str, sidebar: str) -> None:
    partner = Partner.objects.filter(slug=slug).first()
    if partner is None:
        partner = tenancy.create_partner(slug=slug, name=name, actor=_ME, now=clock.now())
    Brand.objects.get_or_create(
        partner=partner,
        defaults={
            "name": name,
            "colour": colour,
            "sidebar": sidebar,
            "support_email": f"help@{slug}.example",
            "updated_at": clock.now(),
        },
    )


def _tenant(partner_slug: str, slug: str, name: str, timezone: str, currency: str) -> None:
    partner = Partner.objects.get(slug=partner_slug)
    tenant = Tenant.objects.filter(partner=partner, slug=slug).first()
    if tenant is None:
        job = tenancy.request_tenant(
            partner=partner,
            name=name,
            slug=slug,
            timezone=timezone,
            currency=currency,
            actor=_ME,
            now=clock.now(),
        )
        give_up = time.monotonic() + _PATIENCE
        while job.state != JobState.DONE:
            job = tenancy.provision(job_id=job.id, now=clock.now())
            if job.state == JobState.ROLLED_BACK or time.monotonic() > give_up:
                raise CommandError(f"{name} could not be set up: {job.error}")
            time.sleep(0.05)
        tenant = Tenant.objects.get(pk=job.tenant_id)
    if tenant.state == TenantState.TRIAL:
        tenancy.set_state(tenant=tenant, state=TenantState.ACTIVE, reason="demo", actor=_ME, now=clock.now())


def _people(password: str) -> None:
    if not User.objects.filter(email=_OPERATOR[0]).exists():
        operator = User.objects.create_superuser(_OPERATOR[0], password=password)
        access.set_preferences(user=operator, values={"name": _OPERATOR[1]}, actor=_ME, now=clock.now())
    for partner_slug, email, name, role in _STAFF:
        _member(Partner.objects.get(slug=partner_slug), None, email, name, role, password)
    for tenant_slug, email, name, role in _CLIENTS:
        tenant = Tenant.objects.select_related("partner").get(partner__slug="meridian", slug=tenant_slug)
        _member(tenant.partner, tenant, email, name, role, password)


def _member(
    partner: Partner, tenant: Tenant | None, email: str, name: str, role: Role, password: str
) -> None:
    if Membership.objects.filter(user__email=email, partner=partner, tenant=tenant).exists():
        return
    with transaction.atomic():
        membership = access.add_member(
            partner=partner, tenant=tenant, email=email, name=name, role=role, actor=_ME, now=clock.now()
        )
        access.set_password(user=membership.user, password=password, actor=_ME, now=clock.now())


def _erp(tenant: TenantRef, address: str, key: str) -> Connection:
    with context.enter(tenant):
        found = Connection.objects.filter(name="ERP").first()
        wanted = {"base_url": address}
        if found is None:
            found = connectors.create_connection(
                name="ERP", connector="erp", settings=wanted, auth="bearer", actor=_ME, now=clock.now()
            )
            connectors.set_secret(connection=found, secret=key, actor=_ME, now=clock.now())
        elif found.settings.get("base_url") != address:
            connectors.update_connection(connection=found, settings=wanted, actor=_ME, now=clock.now())
        return found


def _watch(tenant: TenantRef) -> None:
    _install(tenant, "order-watch", {})


def _install(tenant: TenantRef, slug: str, connections: dict[str, str]) -> None:
    if Installation.objects.filter(tenant_id=tenant.id, slug=slug).exists():
        return
    version = TemplateVersion.objects.filter(slug=slug).order_by("-published_at")[0]
    install(
        version=version,
        tenant=tenant,
        config=defaults(version.input_schema),
        connections=connections,
        actor=_ME,
        now=clock.now(),
    )


def _feed(tenant: TenantRef, address: str) -> None:
    """Ask the simulated shop to send its orders here, one every ten seconds, some without a postcode."""
    host = queries.primary_host(partner_id=tenant.partner_id, tenant_id=tenant.id)
    with context.enter(tenant):
        if Endpoint.objects.filter(name="Web shop").exists():
            return
        endpoint, secret = create_endpoint(
            name="Web shop", kind="cloudevents", source="", actor=_ME, now=clock.now()
        )
    wish = {
        "url": f"http://{host}:{settings.PORTAL_PORT}/hooks/{endpoint.token}",
        "secret": secret,
        "style": "cloudevents",
        "rate_per_second": 0.1,
        "faulty": 0.15,
    }
    answer = http.fetch(
        "POST",
        f"{address}/control/shop/feed",
        Egress(allowed=settings.EGRESS_ALLOW),
        headers={"content-type": "application/json"},
        body=jsonx.dumps(wish),
        seconds=10,
    )
    if answer.status >= 300:
        raise CommandError(f"the simulated shop does not send: {answer.status} {answer.body[:200]!r}")


def _where(password: str) -> str:
    port = settings.PORTAL_PORT
    base = settings.BASE_DOMAIN
    people = [
        ("Partner admin", "pat@meridian.example", f"http://meridian.{base}:{port}"),
        ("Partner engineer", "sam@meridian.example", f"http://meridian.{base}:{port}"),
        *(
            (Role(role).label, email, f"http://{slug}.meridian.{base}:{port}")
            for slug, email, _, role in _CLIENTS
        ),
        ("Platform operator", _OPERATOR[0], f"http://{base}:{port}/admin/"),
    ]
    lines = [f"Every password is  {password}", ""]
    lines += [f"  {title!s:<20} {email:<30} {address}" for title, email, address in people]
    return "\n".join(lines)
