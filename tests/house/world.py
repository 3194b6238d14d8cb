"""One of everything, made in any tenant by the rooms' own actions: what house tests look at.

Every object that has a name carries a mark in it, so that a test can tell whose object an answer speaks of.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from automations.engine.actions import decisions, redriving, workflows
from automations.engine.actions.programs import programs
from automations.engine.dsl.document import read
from automations.engine.enums import RunStatus
from automations.engine.machine import interpreter
from automations.engine.machine.state import Run as Machine
from automations.engine.models import Definition, Run, Workflow
from automations.engine.queries import RunFilter
from automations.engine.store import operate as store
from automations.events import actions as events
from automations.events.models import Rejection
from automations.inbox import actions as inbox
from automations.inbox.models import Case, View
from automations.notices import actions as notices
from automations.notices.models import Notice
from billing import actions as billing
from kernel import ids, jsonx
from kernel.actor import system
from templates_lib import queries as templates
from templates_lib.actions import installing, publishing
from templates_lib.models import TemplateVersion
from tenants.access import actions as access
from tenants.access.actions import reviewing, roles
from tenants.access.enums import Role
from tenants.access.models import AccessReview, DutyRule, User
from tenants.accounts.actions import scim
from tenants.accounts.models import Provider, ScimUser, SupportAccess
from tenants.audit import actions as audit
from tenants.audit.models import AuditEvent
from tenants.branding import actions as branding
from tenants.privacy.actions import keeping, subjects
from tenants.tenancy import context
from tenants.tenancy.models import Partner, ProvisioningJob, Restore, Tenant, TenantFile
from tenants.tenancy.queries import TenantRef
from tests.support import make
from tests.support.cast import NOW

BY: Final = system("world")
FLOW: Final = """
document:
  dsl: 1.0.3
  namespace: test
  name: world-flow
  version: 1.0.0
  metadata: {business: {key: .order_id}}
do:
  - check:
      raise:
        error:
          type: https://open-workflow-specification.org/dsl/errors/types/validation
          status: 422
          title: The postcode is missing
"""


TABLE: Final[dict[str, Any]] = {
    "inputs": ["amount"],
    "outputs": ["auto"],
    "rules": [{"when": ["<= 50"], "then": [True]}],
    "otherwise": {"auto": False},
    "tests": [{"input": {"amount": 50}, "expect": {"auto": True}}],
}


@dataclass
class World:
    """What was made for one place: its mark, and the public ids that its addresses take."""

    mark: str
    ids: dict[str, str] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)


def of_tenant(ref: TenantRef, mark: str, *, times: int = 1, now: datetime = NOW) -> World:
    """One of everything in a tenant; `times` of what lists show."""
    made = World(mark)
    fill(made, ref, times, now)
    with context.enter(ref):
        made.keys["case"] = Case.objects.filter(of_run=True).latest("opened_at").id
        made.ids["case"] = Case.objects.get(pk=made.keys["case"]).public_id
        inbox.comment_on_case(case_id=made.keys["case"], text=f"{mark} says", actor=BY, now=now)
        made.ids["table"] = decisions.publish_table(
            name=f"{mark.lower()}-table", document=TABLE, actor=BY, now=now
        ).table.public_id
        made.ids["file"] = ids.public_id(
            "file",
            inbox.attach_file(
                case_id=made.keys["case"], name=f"{mark}.txt", content=mark.encode(), actor=BY, now=now
            ),
        )
        View.objects.create(
            owner_id=ids.uuid7(), owner=mark, name="Late ones", slug="late-ones", shared=True, created_at=now
        )
        made.ids["entry"] = AuditEvent.objects.latest("id").public_id
        made.keys["stream"], _ = audit.create_stream(
            name=f"{mark} log", kind="webhook", address="https://siem.example.com/in", actor=BY, now=now
        )
        made.ids["stream"] = made.keys["stream"].public_id
        made.keys["channel"], _ = notices.create_channel(
            name=f"{mark} room", kind="webhook", address="https://room.example.com/in", actor=BY, now=now
        )
        made.ids["channel"] = made.keys["channel"].public_id
        made.ids["notice"] = Notice.objects.create(
            user_id=made.keys["case"],
            about="opened",
            alike=mark,
            title=f"{mark} told",
            severity="high",
            at=now,
            case_id=made.keys["case"],
        ).public_id
        _of_privacy(made, mark, now)
    _of_library(made, ref, now)
    for back in range(times):
        billing.meter(tenant=ref, day=now.date() - timedelta(days=back), now=now)
    return made


def _of_privacy(made: World, mark: str, now: datetime) -> None:
    """Somebody's data that were asked for and found, and a legal hold."""
    row = subjects.open_request(terms=["ann@world.test"], reference=f"{mark} asked", actor=BY, now=now)
    while not subjects.carry_on(key=row.id, now=now):
        continue
    row.refresh_from_db()
    hold = keeping.place_hold(name=f"{mark} court", reason="a court", keys=["none"], actor=BY, now=now)
    made.keys |= {"subject": row, "hold": hold}
    made.ids |= {"subject": row.public_id, "hold": hold.public_id}


def fill(made: World, ref: TenantRef, times: int, now: datetime = NOW) -> None:
    """So many of whatever lists in a tenant show."""
    with context.enter(ref):
        for number in range(times):
            _one(made, ref, f"{made.mark} {number}", now)
        while events.dispatch(ref, now=now):
            pass
        assert not Rejection.objects.filter(code="handler_failed").exists()
    _of_access(made, Tenant.objects.get(pk=ref.id), times, now)


def _one(made: World, ref: TenantRef, name: str, now: datetime) -> None:
    endpoint = make.endpoint(name=f"{name} shop", now=now).row
    order = make.order(order_id=f"{name}-order".replace(" ", "-"), number=name)
    event = events.publish(
        type="order.placed",
        subject=order["order_id"],
        data=order,
        source=f"/shops/{name}".replace(" ", "-"),
        time=now,
    )
    rejection = Rejection.objects.create(
        endpoint=endpoint,
        code="contract_broken",
        reason=f"{name} breaks it",
        source="/shops/x",
        event_id=name,
        type="order.placed",
        subject=name,
        body=make.cloudevent(id=name),
        received_at=now,
    )
    connection = make.connection(name=f"{name} books")
    run, workflow = failing_run(f"{name} flow", order["order_id"], now)
    bulk = redriving.start_bulk(
        act="retry", wanted=RunFilter(workflow=workflow.id), actor=BY, now=now, reason=f"{name} again"
    )
    made.ids |= {
        "bulk": bulk.public_id,
        "work_id": bulk.public_id,
        "endpoint": endpoint.public_id,
        "hook": endpoint.token,
        "event": event.public_id,
        "rejection": rejection.public_id,
        "connection": connection.public_id,
        "workflow": workflow.public_id,
        "run": run.public_id,
        "order": order["order_id"],
    }
    made.keys |= {
        "bulk": bulk,
        "endpoint": endpoint,
        "event": event,
        "rejection": rejection,
        "connection": connection,
        "workflow": workflow,
        "run": run,
    }


def _of_access(made: World, tenant: Tenant, times: int, now: datetime) -> None:
    for number in range(times):
        member = access.add_member(
            partner=tenant.partner,
            tenant=tenant,
            email=f"{made.mark.lower()}-{number}@world.test",
            name=f"{made.mark} Person {number}",
            role=Role.REVIEWER,
            actor=BY,
            now=now,
        )
        token, text = access.make_token(
            partner=tenant.partner,
            tenant=tenant,
            name=f"{made.mark} token {number}",
            scopes=["events.read"],
            expires_at=None,
            actor=BY,
            now=now,
        )
        made.ids |= {"member": member.public_id, "user": member.user.public_id, "token": token.public_id}
        made.keys |= {"member": member, "token": token, "token_text": text}
    made.ids["tenant"] = tenant.public_id
    _of_files(made, tenant, now)
    _of_rights(made, tenant.partner, tenant, times, now)
    made.ids["provider"] = provider(tenant.partner, tenant, made.mark, now).public_id
    made.ids["person"] = directory_person(tenant.partner, tenant, made.mark, now).public_id
    made.ids["support_access"] = support_access(tenant, made.mark, now).public_id


def _of_files(made: World, tenant: Tenant, now: datetime) -> None:
    """A file of it, and a restore that was thrown away."""
    asked = {
        "tenant": tenant,
        "partner": tenant.partner,
        "asked_by": made.mark,
        "asked_at": now,
        "as_of": now,
    }
    if made.ids.get("tenant_file"):
        return
    with context.leave():  # a client's own role may not write what the partner keeps of it
        file = TenantFile.objects.create(**asked, state="done", of_state="active", reason=made.mark)
        restore = Restore.objects.create(**asked, file=file, state="dropped", beside=f"t_{ids.uuid7().hex}")
    made.ids |= {"tenant_file": file.public_id, "restore": restore.public_id}
    made.keys |= {"tenant_file": file, "restore": restore}


def _of_rights(made: World, partner: Partner, tenant: Tenant | None, times: int, now: datetime) -> None:
    """Own roles, pairs that are kept apart, and a review."""
    place: dict[str, Any] = {"partner": partner, "tenant": tenant, "actor": BY, "now": now}
    for number in range(times):
        name = f"{made.mark} {number} role"
        made.keys["own_role"] = roles.make_role(name=name, permissions=["audit.read"], **place)
    low, high = "inbox.decide", "tenancy.provision"  # which no token of a test has both of
    rule = DutyRule.objects.filter(partner=partner, tenant=tenant).first()  # a pair is kept apart once
    # a partner's rule is shown to its clients, who have to keep to it
    reason = f"{made.mark} says so" if tenant else "So that nobody does both"
    made.keys["duty"] = rule or roles.forbid_pair(first=low, second=high, reason=reason, **place)
    with context.enter(tenant.id) if tenant else context.leave():
        still = AccessReview.objects.filter(partner=partner, tenant=tenant, signed_at__isnull=True).first()
        made.keys["review"] = still or reviewing.start_review(**place)
    items = made.keys["review"].items.all()
    mine = items.filter(holder__startswith=made.mark.lower())
    made.keys["item"] = (mine if mine.exists() else items).latest(
        "id"
    )  # an older review knows none of today's
    made.ids |= {name: made.keys[name].public_id for name in ("own_role", "duty", "review", "item")}


def of_partner(partner_id: UUID, mark: str, *, times: int = 1, now: datetime = NOW) -> World:
    """A member and a token of a partner's console, and an audit entry."""
    made = World(mark)
    partner = Partner.objects.get(pk=partner_id)
    for number in range(times):
        member = access.add_member(
            partner=partner,
            tenant=None,
            email=f"{mark.lower()}-staff-{number}@world.test",
            name=f"{mark} Staff {number}",
            role=Role.PARTNER_ENGINEER,
            actor=BY,
            now=now,
        )
        token, text = access.make_token(
            partner=partner,
            tenant=None,
            name=f"{mark} console token {number}",
            scopes=["tenancy.read"],
            expires_at=None,
            actor=BY,
            now=now,
        )
        made.ids |= {"member": member.public_id, "user": member.user.public_id, "token": token.public_id}
        made.keys |= {"member": member, "token": token, "token_text": text}
    _of_rights(made, partner, None, times, now)
    made.ids["domain"] = branding.claim_domain(
        partner=partner, tenant=None, host=f"{mark.lower()}.shop-example.com", actor=BY, now=now
    ).public_id
    made.ids["work_id"] = ProvisioningJob.objects.filter(tenant__partner=partner).latest("id").public_id
    made.ids["provider"] = provider(partner, None, mark, now).public_id
    made.ids["person"] = directory_person(partner, None, mark, now).public_id
    made.ids["entry"] = AuditEvent.objects.filter(partner_id=partner_id).latest("id").public_id
    stream, _ = audit.create_stream(
        name=f"{mark} log",
        kind="webhook",
        address="https://siem.example.com/in",
        partner_id=partner_id,
        actor=BY,
        now=now,
    )
    made.ids["stream"] = stream.public_id
    return made


def provider(partner: Partner, tenant: Tenant | None, mark: str, now: datetime) -> Provider:
    """An identity provider of a place, as it was when it answered last."""
    made, _ = Provider.objects.get_or_create(
        partner=partner,
        tenant=tenant,
        issuer=f"https://{mark.lower()}.example.com",
        defaults={
            "name": f"{mark} sign-on",
            "client_id": "portal",
            "domains": [f"{mark.lower()}.example.com"],
            "created_at": now,
        },
    )
    return made


def support_access(tenant: Tenant, mark: str, now: datetime) -> SupportAccess:
    """Somebody of the partner asks to come into a client."""
    staff = User.objects.filter(memberships__partner=tenant.partner, memberships__tenant=None).earliest("id")
    return SupportAccess.objects.create(
        partner=tenant.partner,
        tenant=tenant,
        user=staff,
        reason=f"{mark} says that orders wait",
        minutes=30,
        state="asked",
        asked_at=now,
    )


def directory_person(partner: Partner, tenant: Tenant | None, mark: str, now: datetime) -> ScimUser:
    """Somebody whom a directory keeps at a place."""
    name = f"{mark.lower()}-directory{'' if tenant else '-staff'}@world.test"
    found = ScimUser.objects.filter(partner=partner, tenant=tenant, user_name=name).first()
    return found or scim.provision(
        partner=partner,
        tenant=tenant,
        values={"user_name": name, "name": f"{mark} Person of a directory"},
        actor=BY,
        now=now,
    )


def _of_library(made: World, ref: TenantRef, now: datetime) -> None:
    version = library(now)
    installation = installing.install(
        version=version,
        tenant=ref,
        config=templates.defaults(version.input_schema),
        connections={},
        actor=BY,
        now=now,
    )
    made.ids |= {"installation": installation.public_id, "slug": version.slug, "version": version.version}
    made.keys |= {"installation": installation, "installed": installation.id}


def library(now: datetime = NOW) -> TemplateVersion:
    """The template “Order watch”, published."""
    found = TemplateVersion.objects.filter(slug="order-watch").first()
    if found is None:
        publishing.publish_catalog(actor=BY, now=now)
        found = TemplateVersion.objects.get(slug="order-watch")
    return found


def failing_run(title: str, business_key: str, now: datetime = NOW) -> tuple[Run, Workflow]:
    """A run of a workflow of the current tenant that waits for review; its fact waits in the intake."""
    definition = workflows.publish(document=read(FLOW), actor=BY, now=now)
    workflow = workflows.deploy(
        name=title.lower().replace(" ", "-"),
        title=title,
        definition=definition,
        config={},
        connections={},
        actor=BY,
        now=now,
    )
    key = workflows.start_run(workflow=workflow, given={"order_id": business_key}, actor=BY, now=now)
    fail(key)
    return Run.objects.get(pk=key), workflow


def fail(key: UUID) -> None:
    """Do what a worker does with a fresh run: here it ends at the step that raises."""
    row = Run.objects.get(pk=key)
    definition = Definition.objects.get(pk=row.definition_id)
    machine = Machine(
        row.id,
        context.current().id,
        programs.compiled(definition.id, definition.document),
        jsonx.unpack(row.input),
        now=row.started_at.timestamp(),
        config={},
    )
    interpreter.start(machine)
    store.write(
        row.id,
        status=RunStatus(machine.status),
        error=machine.error,
        seq=0,
        steps=machine.steps,
        snapshot=machine.snapshot(),
    )
    for fact in machine.facts:
        events.publish(
            type=fact.type,
            subject=fact.subject or row.business_key,
            data=fact.data,
            source="/engine",
            time=datetime.fromtimestamp(fact.time, UTC),
            event_id=fact.id,
            internal=True,
        )
