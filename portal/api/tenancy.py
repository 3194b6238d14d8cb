"""Clients of a partner: set up, looked at, suspended, resumed, archived; and the clock of a sandbox."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models import Q
from rest_framework import serializers

from automations.connectors import queries as connectors
from automations.engine import queries as engine
from automations.inbox import queries as inbox
from automations.insights.queries.attention import last_event_at
from kernel import clock
from kernel.errors import Conflict, NotFound
from portal.api import fields
from portal.api.desk import ACCEPTED, Call, Desk, operation, rule
from portal.api.fields import PublicId, Shape, key_of
from portal.api.pages import Listing
from templates_lib.queries import BLUEPRINTS
from tenants.access.catalog import TENANT_ROLES
from tenants.tenancy import actions, context, queries
from tenants.tenancy.enums import JobState, TenantState
from tenants.tenancy.errors import AddressTaken, ClockRunsForward, NotSandbox, TenantNotReady
from tenants.tenancy.models import Partner, ProvisioningJob, Tenant
from tenants.tenancy.registry import steps

_DAY: Final = timedelta(days=1)


class Client(Shape):
    """A client of the partner."""

    id = PublicId("tnt", help_text="Id of the client.")
    slug = fields.text("The first part of its address.")
    name = fields.text("Its name.")
    state = fields.one_of(TenantState.choices, "Where it is in its life.")
    host = serializers.SerializerMethodField(help_text="Where its people go; empty until it is set up.")
    timezone = fields.text("Its time zone.")
    currency = fields.text("Its currency, three capitals.")
    language = fields.text("Its language.")
    sandbox = fields.yes_or_no("Whether it holds nothing real.")
    ready_at = fields.perhaps_at("When it was set up; null until then.")
    provisioning = serializers.SerializerMethodField(help_text="How far its setting up is.")
    created_at = fields.at("When it was asked for.")

    def get_host(self, row: Tenant) -> str:
        """Its primary address."""
        return next((one.host for one in row.domains.all() if one.is_primary and one.verified_at), "")

    def get_provisioning(self, row: Tenant) -> str:
        """The state of the job that makes it."""
        job = getattr(row, "provisioning", None)
        return str(job.state) if job is not None else str(JobState.DONE)


class Health(Shape):
    """How a client does, just now."""

    open_cases = fields.number("Cases that are open.")
    past_due_cases = fields.number("Open cases whose due time is over.")
    critical_cases = fields.number("Open cases that are critical.")
    runs_last_day = fields.number("Runs that started in the last 24 hours.")
    failed_last_day = fields.number("Of these, runs that failed or wait for review.")
    unhealthy_connections = fields.number("Connections that did not work when last tested.")
    last_event_at = fields.perhaps_at("When the last event came in.")


class ClientDetail(Client):
    """A client with how it does."""

    health = Health(allow_null=True, help_text="Null until it is set up.")


class ClientFilter(Shape):
    """Which clients."""

    state = fields.one_of(TenantState.choices, "In this state.", required=False)
    sandbox = fields.yes_or_no("Sandboxes alone, or none.", required=False)
    text = fields.text("Stands in the name or the address.", required=False)


class NewClientPerson(Shape):
    """Somebody to let in from the start."""

    email = serializers.EmailField(help_text="Their address.")
    name = fields.text("Their name.", required=False, default="", allow_blank=True, max_length=120)
    role = fields.one_of([(one.value, one.label) for one in TENANT_ROLES], "Their role.")


class NewClient(Shape):
    """A client to set up."""

    name = fields.text("Its name.", max_length=120)
    slug = fields.text("The first part of its address: a-z, 0-9 and inner hyphens.", max_length=40)
    timezone = fields.text("Its time zone.", required=False, default="UTC")
    currency = fields.text("Its currency, three capitals.", required=False, default="EUR", max_length=3)
    language = fields.text("Its language.", required=False, default="en", max_length=8)
    sandbox = fields.yes_or_no("Whether it holds nothing real.", required=False, default=False)
    people = NewClientPerson(many=True, required=False, default=list, help_text="Its first people.")
    blueprint = fields.one_of(
        ["", *BLUEPRINTS], "Templates to begin with.", required=False, default="", allow_blank=True
    )


class SetupStep(Shape):
    """A step of setting up."""

    name = fields.text("Its name.")
    title = fields.text("What it does.")
    state = fields.one_of(["pending", "running", "done", "failed"], "How far it is.")
    detail = fields.text("What came of it.", allow_blank=True)
    at = fields.perhaps_at("When that was.")


class Setup(Shape):
    """The setting up of a client: a job that goes on by itself, also after a crash."""

    id = PublicId("job", help_text="Id of the job.")
    tenant = PublicId("tnt", source="tenant_id", help_text="The client that it makes.")
    state = fields.one_of(JobState.choices, "How far it is.")
    steps = SetupStep(many=True, help_text="Its steps, in order.")
    error = fields.text("What went wrong last; empty where nothing did.", allow_blank=True)
    attempts = fields.number("How often it was begun.")
    created_at = fields.at("When it was asked for.")
    finished_at = fields.perhaps_at("When it was over.")


def setup_of(job: ProvisioningJob) -> dict[str, Any]:
    """A job with each step and what is noted of it."""
    found = []
    for step in steps():
        noted = job.step(step.name) or {"state": "pending"}
        at = clock.parse_rfc3339(noted["at"]) if noted.get("at") else None
        found.append({"name": step.name, "title": step.title, "detail": "", **noted, "at": at})
    names = ("id", "tenant_id", "state", "error", "attempts", "created_at", "finished_at")
    return {"steps": found, **{name: getattr(job, name) for name in names}}


class Reason(Shape):
    """Why."""

    reason = fields.reason(required=True)


def client_of(call: Call, tenant: str) -> Tenant:
    """The client of the address, if it is this partner's. Raises NotFound."""
    found = queries.tenant_of(call.partner_id, key_of("tnt", tenant))
    if found is None:
        raise NotFound
    return found


def ready_client(call: Call, tenant: str) -> queries.TenantRef:
    """The same, set up and ready for work. Raises NotFound and TenantNotReady."""
    found = queries.ref_of(client_of(call, tenant))
    if not found.ready:
        raise TenantNotReady(retry_after=10)
    return found


_CLIENT: Final = {
    "name": "Hollis Home",
    "slug": "hollis",
    "timezone": "Europe/London",
    "currency": "GBP",
    "people": [{"email": "orla@hollis.example", "name": "Orla Owner", "role": "tenant_admin"}],
    "blueprint": "order-watch",
}


class Clients(Desk):
    """All clients of the partner."""

    rule = rule(get="tenancy.read", post="tenancy.provision")

    @operation("list_tenants", query=ClientFilter, returns=Client, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """The partner's clients by name."""
        rows = queries.tenants_of(call.partner_id)
        wanted = dict(call.query)
        words = wanted.pop("text", "")
        if words:
            rows = rows.filter(Q(name__icontains=words) | Q(slug__icontains=words))
        return call.paging.of(rows.filter(**wanted), by="name")

    @operation(
        "create_tenant",
        takes=NewClient,
        returns=Setup,
        status=ACCEPTED,
        once=True,
        raises=(AddressTaken,),
        example=_CLIENT,
    )
    def post(self, call: Call) -> dict[str, Any]:
        """Ask for a new client; the answer is the job that makes it, to be looked at until it is done."""
        partner = Partner.objects.get(pk=call.partner_id)
        job = actions.request_tenant(partner=partner, actor=call.actor, now=clock.now(), **call.body)
        return setup_of(job)


@dataclass(frozen=True)
class _Detail:
    """A tenant row with its health beside it."""

    row: Tenant
    health: dict[str, Any] | None

    def __getattr__(self, name: str) -> Any:
        """What the row has."""
        return getattr(self.row, name)


class OneClient(Desk):
    """One client."""

    rule = rule(get="tenancy.read")

    @operation("get_tenant", returns=ClientDetail)
    def get(self, call: Call, tenant: str) -> _Detail:
        """A client with how it does."""
        row = client_of(call, tenant)
        ref = queries.ref_of(row)
        return _Detail(row, health_of(ref) if ref.ready else None)


def health_of(ref: queries.TenantRef) -> dict[str, Any]:
    """How a tenant does, asked from the rooms inside it."""
    cases = inbox.tenant_figures([ref])[ref.id]
    with context.enter(ref):
        runs = engine.status_counts(context.now() - _DAY)
        return {
            "open_cases": cases.open,
            "past_due_cases": cases.past_due,
            "critical_cases": cases.critical,
            "runs_last_day": sum(runs.values()),
            "failed_last_day": runs["faulted"] + runs["suspended"],
            "unhealthy_connections": len(connectors.unhealthy()),
            "last_event_at": last_event_at(),
        }


class ClientSetup(Desk):
    """The setting up of one client."""

    rule = rule(get="tenancy.read")

    @operation("get_provisioning", returns=Setup)
    def get(self, call: Call, tenant: str) -> dict[str, Any]:
        """How far the setting up of a client is, step by step."""
        job: ProvisioningJob | None = getattr(client_of(call, tenant), "provisioning", None)
        if job is None:
            raise NotFound
        return setup_of(job)


def _move(call: Call, tenant: str, state: TenantState) -> Tenant:
    row = client_of(call, tenant)
    actions.set_state(tenant=row, state=state, actor=call.actor, now=clock.now(), **call.body)
    return client_of(call, tenant)


class Suspend(Desk):
    """Stopping a client."""

    rule = rule(post="tenancy.lifecycle")

    @operation("suspend_tenant", takes=Reason, returns=Client, once=True, raises=(Conflict,))
    def post(self, call: Call, tenant: str) -> Tenant:
        """Stop a client: it can be read, nothing runs and nothing can be changed."""
        return _move(call, tenant, TenantState.SUSPENDED)


class Resume(Desk):
    """Letting a client work."""

    rule = rule(post="tenancy.lifecycle")

    @operation("resume_tenant", takes=Reason, returns=Client, once=True, raises=(Conflict,))
    def post(self, call: Call, tenant: str) -> Tenant:
        """Let a suspended client work again, or take one that is on trial into service."""
        return _move(call, tenant, TenantState.ACTIVE)


class Archive(Desk):
    """Putting a client away."""

    rule = rule(post="tenancy.lifecycle")

    @operation("archive_tenant", takes=Reason, returns=Client, once=True, raises=(Conflict,))
    def post(self, call: Call, tenant: str) -> Tenant:
        """Put a client away: its address leads nowhere, its data stay."""
        return _move(call, tenant, TenantState.ARCHIVED)


class Clock(Shape):
    """The present of a client."""

    now = fields.at("What time it is here.")
    sandbox = fields.yes_or_no("Whether the clock can be set.")
    virtual = fields.yes_or_no("Whether it has a clock of its own.")


class Advance(Shape):
    """Where to set the clock."""

    to = fields.at("An instant that is not before the present one.")


class TenantClock(Desk):
    """The clock of this client."""

    rule = rule(get="tenancy.clock", post="tenancy.clock")

    @operation("get_clock", returns=Clock)
    def get(self, call: Call) -> dict[str, Any]:
        """What time it is here."""
        virtual = queries.virtual_now(call.tenant.id)
        return {
            "now": virtual or clock.now(),
            "sandbox": call.tenant.sandbox,
            "virtual": virtual is not None,
        }

    @operation(
        "advance_clock",
        takes=Advance,
        returns=Clock,
        once=True,
        raises=(NotSandbox, ClockRunsForward),
        example={"to": "2026-03-02T09:30:00Z"},
    )
    def post(self, call: Call) -> dict[str, Any]:
        """Set the clock of a sandbox forward; what is due by then becomes due now."""
        actions.advance_clock(tenant_id=call.tenant.id, to=call.body["to"], actor=call.actor, now=clock.now())
        return {"now": call.body["to"], "sandbox": True, "virtual": True}
