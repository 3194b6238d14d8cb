"""Every act of the rooms, found in their `actions`, and what it is done with once in the furnished Hollis.

An act is a public function that takes an `actor`. WITH says what else it is given; an act without a line there fails
the build. What is prepared in a line is there before the act begins.
"""

import importlib
import importlib.util
import inspect
import io
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.apps import apps

from automations.engine.actions import decisions, redriving, workflows
from automations.engine.dsl.document import read
from automations.engine.enums import WorkflowState
from automations.engine.models import Bulk, Definition
from automations.engine.queries import RunFilter
from automations.events import queries as told
from automations.events.actions import Draft
from automations.inbox import actions as inbox
from automations.inbox.enums import Decide
from automations.inbox.models import Case, Intent
from automations.inbox.queries.pending import digest_of
from automations.notices.enums import About
from automations.notices.policy import default
from billing.models import Plan
from kernel import ids
from kernel.actor import Actor
from portal.env import ROOT
from templates_lib.contract import CATALOG
from templates_lib.models import Installation, TemplateVersion
from templates_lib.queries import defaults
from tenants.access import catalog
from tenants.access.enums import Role, Verdict
from tenants.access.models import AccessReview, CustomRole, DutyRule, Membership, User
from tenants.accounts.actions import factors, passkeys
from tenants.accounts.enums import FactorKind, Via
from tenants.accounts.models import Factor, Provider, ScimUser, SupportAccess, Visit
from tenants.audit import actions as audit
from tenants.audit.models import AuditEvent
from tenants.branding import actions as branding
from tenants.branding.models import Brand, DomainClaim
from tenants.branding.queries import proof_name, proof_value
from tenants.privacy.actions import subjects
from tenants.privacy.enums import Keeps
from tenants.tenancy import actions as tenancy
from tenants.tenancy import context
from tenants.tenancy.actions import deleting
from tenants.tenancy.actions.exporting import path_of
from tenants.tenancy.enums import JobState, PartnerState, TenantState
from tenants.tenancy.models import Partner, ProvisioningJob, Restore, Tenant, TenantFile
from tenants.tenancy.queries import TenantRef
from tests.house import world
from tests.house.ground import Ground, picture
from tests.support import make, names, saml
from tests.support.cast import NOW
from tests.support.device import Device

Act = Callable[..., Any]
EVERYTHING: Final = catalog.OPERATOR | {"audit.erase"}


def modules() -> Iterator[Any]:
    """The modules of every room's actions."""
    for config in apps.get_app_configs():
        if not str(config.path).startswith(str(ROOT)) or ".venv" in str(config.path):
            continue
        found = importlib.util.find_spec(f"{config.name}.actions")
        if found is None:
            continue
        package = importlib.import_module(found.name)
        yield package
        for part in pkgutil.iter_modules(getattr(package, "__path__", [])):
            yield importlib.import_module(f"{package.__name__}.{part.name}")


def public() -> dict[str, Act]:
    """Every public function of those modules, by its full name."""
    return {
        f"{module.__name__}.{name}": value
        for module in modules()
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }


def acts() -> dict[str, Act]:
    """Those that somebody does: they take an actor."""
    return {name: does for name, does in public().items() if "actor" in inspect.signature(does).parameters}


_AUDIT, _VAULT = "tenants.audit.actions.", "tenants.vault.actions."
_PRIVACY = "tenants.privacy.actions."
WITHIN: Final[Mapping[str, str]] = {
    "tenants.audit.actions.verifying.verify_log": "it looks, and keeps what it found; who asked stands there",
    "tenants.audit.actions.recording.record": "it is the audit",
    _VAULT + "rotate_master_key": "it changes a file beside the database",
    _VAULT + "forget_master_keys": "it changes a file beside the database",
    "tenants.tenancy.actions.exporting.write_to": "it writes a file where an operator says, outside of any other act",
    "tenants.tenancy.actions.importing.request_import": "it looks into a file, and asks for a client by `request_tenant`",
    "tenants.tenancy.actions.restoring.swap_in": "tests of it want commits: tests/tenants/tenancy/test_restoring.py",
    "tenants.access.actions.end_membership": "it ends a membership for an act, in its transaction",
    "tenants.access.actions.roles.check_role": "it looks whether somebody may give a role",
    "tenants.access.actions.roles.check_rights": "it looks whether somebody may give rights",
    "tenants.access.actions.roles.check_standing": "it looks whether somebody may move a member",
    "automations.engine.actions.operate.in_role": "it says as what somebody acts",
    "automations.engine.actions.operate.held": "it takes hold of a run for the acts that are done to it",
    "automations.ledger.actions.turn": "it writes the pause of an act, in its transaction",
    "automations.inbox.actions.trace.leave_trace": "it writes the trace of an act of the inbox, in its transaction",
    "tenants.branding.actions.editing.keep_version": "it keeps what an act has published, in its transaction",
    "automations.notices.actions.answering.redeem_pass": "what a link decides is an act of the inbox",
    "templates_lib.actions.publishing.publish_catalog": "it publishes each template by `publish`",
}
"""Functions that take an actor and are no acts of their own, each with the reason."""


@dataclass
class Stage:
    """Hollis with what is in it, and who acts: somebody who may do everything."""

    ground: Ground

    @property
    def keys(self) -> dict[str, Any]:
        """What the world of Hollis holds."""
        return self.ground.worlds["hollis"].keys

    @property
    def partner(self) -> Partner:
        """Meridian."""
        return Partner.objects.get(slug="meridian")

    @property
    def erased_there(self) -> TenantRef:
        """Hollis, with a line in the ledger of erasures."""
        row = self.keys["subject"]
        subjects.erase_subject(
            row=row, terms=["ann@example.com"], typed=row.reference, reason="asked", actor=world.BY, now=NOW
        )
        return self.ground.cast.tenant

    @property
    def provable(self) -> DomainClaim:
        """A claim whose text record is there."""
        claim = branding.claim_domain(
            partner=self.partner, tenant=None, host="portal.proven-example.com", actor=world.BY, now=NOW
        )
        names.say(proof_name(claim.host), proof_value(claim))
        return claim

    @property
    def served(self) -> DomainClaim:
        """A name of Meridian that is served."""
        return branding.verify_domain(claim=self.provable, actor=world.BY, now=NOW)

    @property
    def drafting(self) -> Partner:
        """Meridian with a brand that was published twice, and a draft of another."""
        for name in ("First", "Second"):
            branding.set_brand(
                partner=self.partner,
                name=name,
                colour="#123456",
                sidebar="light",
                support_email="",
                support_url="",
                actor=world.BY,
                now=NOW,
            )
        branding.save_draft(partner=self.partner, values={"name": "Draft"}, actor=world.BY, now=NOW)
        return self.partner

    @property
    def tenant(self) -> Tenant:
        """Hollis."""
        return Tenant.objects.get(slug="hollis")

    @property
    def actor(self) -> Actor:
        """Rosa, who may do everything here."""
        user = self.ground.cast.reviewer
        return Actor("user", user.id, str(user), EVERYTHING, "request-of-rosa", "127.0.0.1", user.id)

    def person(self, name: str) -> User:
        """Somebody of the cast, as they are in the database."""
        return User.objects.get(email=f"{name}@cast.test")

    @property
    def reviewed(self) -> Tenant:
        """Hollis, whose review is over."""
        AccessReview.objects.filter(tenant=self.tenant).update(signed_at=NOW)
        return self.tenant

    @property
    def decided_review(self) -> AccessReview:
        """A review in which everything is kept."""
        review: AccessReview = self.keys["review"]
        review.items.update(verdict=Verdict.KEPT)
        return review

    @property
    def case(self) -> Any:
        """A case of a run that waits for a person."""
        return self.keys["case"]

    @property
    def plain_case(self) -> Any:
        """A case that no run waits for."""
        Case.objects.filter(pk=self.case).update(of_run=False, run_id=None)
        return self.case

    @property
    def store_task(self) -> Any:
        """A task of a store that asks for a yes alone."""
        Case.objects.filter(pk=self.plain_case).update(kind="store_count", error_class="")
        return self.case

    @property
    def closed_case(self) -> Any:
        """The same, dismissed."""
        inbox.dismiss_case(case_id=self.plain_case, reason="no", actor=world.BY, now=NOW)
        return self.case

    def intent(self, first: Any, state: str = "waiting") -> Intent:
        """What somebody decided on a case that no run waits for, and that is not carried out."""
        case = Case.objects.get(pk=self.plain_case)
        digest = digest_of(case, Decide.RESOLVE, None, "")
        found: Intent = Intent.objects.create(
            case=case, decision="resolve", version=case.version, digest=digest, state=state, actor={},
            first_id=first, first="Somebody", at=NOW,
        )  # fmt: skip
        return found

    @property
    def installation(self) -> Installation:
        """What is installed in Hollis."""
        return Installation.objects.select_related("version").get(
            pk=self.ground.worlds["hollis"].keys["installed"]
        )

    @property
    def sealed_event(self) -> AuditEvent:
        """An audit event of Hollis whose place in the log is fixed."""
        audit.seal(now=NOW)
        return AuditEvent.objects.order_by("id")[0]

    @property
    def coming_table(self) -> Any:
        """A version of a decision table that is in force from tomorrow on."""
        tomorrow = NOW + timedelta(days=1)
        return decisions.publish_table(
            name="coming", document=_TABLE, effective_from=tomorrow, actor=world.BY, now=NOW
        )

    @property
    def stopped_bulk(self) -> Bulk:
        """An act on many runs that somebody stopped."""
        return redriving.stop_bulk(bulk_id=self.keys["bulk"].id, actor=world.BY, now=NOW)

    @property
    def newer_definition(self) -> Definition:
        """A later version of what the run runs by."""
        text = world.FLOW.replace("version: 1.0.0", "version: 2.0.0")
        return workflows.publish(document=read(text), actor=world.BY, now=NOW)

    @property
    def sandbox(self) -> Tenant:
        """Hollis as a sandbox, on everybody's clock yet."""
        Tenant.objects.filter(slug="hollis").update(sandbox=True)
        return self.tenant

    @property
    def old(self) -> Tenant:
        """Hollis as it was before the last upgrade."""
        Tenant.objects.filter(slug="hollis").update(revision="old")
        return self.tenant

    @property
    def archived(self) -> Tenant:
        """Hollis, put away."""
        Tenant.objects.filter(slug="hollis").update(state=TenantState.ARCHIVED)
        return Tenant.objects.get(slug="hollis")

    @property
    def leaving(self) -> Tenant:
        """Hollis, about to be deleted."""
        tenant = self.archived
        deleting.request_deletion(tenant=tenant, typed=tenant.name, reason="over", actor=world.BY, now=NOW)
        return tenant

    @property
    def whole_file(self) -> TenantFile:
        """A file of Hollis that lies where it should."""
        path = path_of(self.keys["tenant_file"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"whole")
        return TenantFile.objects.get(pk=self.keys["tenant_file"].pk)

    @property
    def open_restore(self) -> Restore:
        """What is laid out beside Hollis."""
        Restore.objects.filter(pk=self.keys["restore"].pk).update(state="ready")
        return Restore.objects.get(pk=self.keys["restore"].pk)

    @property
    def stuck_job(self) -> ProvisioningJob:
        """A job that stopped on its way."""
        ProvisioningJob.objects.filter(tenant=self.tenant).update(state=JobState.RUNNING, error="lost")
        return ProvisioningJob.objects.get(tenant=self.tenant)

    @property
    def fresh_job(self) -> ProvisioningJob:
        """A client that was asked for and is not begun."""
        return tenancy.request_tenant(
            partner=self.partner, name="Fresh", slug="fresh", actor=world.BY, now=NOW
        )

    @property
    def visit(self) -> Visit:
        """A session of the analyst's."""
        return Visit.objects.create(
            user=self.person("analyst"),
            session_key="one",
            host=self.ground.cast.host,
            via=Via.PASSWORD,
            started_at=NOW,
            seen_at=NOW,
        )

    @property
    def factor(self) -> Factor:
        """An authenticator app of the analyst's."""
        return Factor.objects.create(
            user=self.person("analyst"), kind=FactorKind.TOTP, name="App", created_at=NOW
        )

    @property
    def provider(self) -> Provider:
        """The identity provider of Hollis."""
        return Provider.objects.get(tenant=self.tenant)

    @property
    def answering_provider(self) -> dict[str, Any]:
        """Another provider, which has answered."""
        return {
            "name": "Fresh",
            "issuer": "https://fresh.example.com",
            "client_id": "portal",
            "domains": ["fresh.example.com"],
            "role": "",
        }

    @property
    def support_access(self) -> SupportAccess:
        """Somebody asks to come into Hollis."""
        return SupportAccess.objects.filter(tenant=self.tenant, state="asked").latest("id")

    @property
    def directory_person(self) -> ScimUser:
        """Somebody whom the directory of Hollis keeps."""
        return ScimUser.objects.get(tenant=self.tenant)

    @property
    def new_passkey(self) -> dict[str, Any]:
        """What the analyst's device answers when it is asked for a passkey."""
        site = passkeys.Site("Hollis", "hollis.test", "https://hollis.test")
        user = self.person("analyst")
        options, asked = passkeys.ask_new(user=user, site=site)
        answer = Device(site.origin).make(options["publicKey"])
        return {"user": user, "site": site, "asked": asked, "answer": answer, "name": "Laptop"}

    @property
    def version(self) -> TemplateVersion:
        """The template that Hollis works with."""
        return TemplateVersion.objects.get(slug="order-watch")

    def newer(self) -> TemplateVersion:
        """A later version of it."""
        one = self.version
        one.pk, one.version, one._state.adding = ids.uuid7(), "99.0.0", True
        one.document = _document("order-watch", "99.0.0")
        one.save()
        return one

    def uninstalled(self) -> TemplateVersion:
        """The template of Hollis, which works with it no more."""
        Installation.objects.filter(pk=self.installation.pk).delete()
        return self.version


def _document(slug: str, version: str) -> Any:
    found = read((CATALOG / slug / "workflow.yaml").read_text())
    found["document"]["version"] = version
    return found


def _seen_event() -> Any:
    """An event that is there, as pages show it."""
    found = told.events(told.EventFilter(), limit=1).items[0]
    return told.event(found.public_id)


_FLOW: Final = world.FLOW.replace("world-flow", "fresh-flow")
_DRAFT: Final = Draft(
    type="order.placed", subject="1", data=make.order(order_id="1"), source="/shops/x", time=NOW
)
_TABLE: Final[dict[str, Any]] = {
    "inputs": ["amount"],
    "outputs": ["auto"],
    "rules": [{"when": ["<= 50"], "then": [True]}],
    "otherwise": {"auto": False},
    "tests": [{"input": {"amount": 50}, "expect": {"auto": True}}],
}
_WHY: Final = {"reason": "because"}
_APP: Final = factors.new_secret()
_METADATA: Final = saml.metadata(
    "https://fresh.example.com", "https://fresh.example.com/sso", saml.Signer().bare
)
_ACCOUNTS: Final = "tenants.accounts.actions."
_ACCESS, _TENANCY = "tenants.access.actions.", "tenants.tenancy.actions."
_EVENTS, _ENGINE, _INBOX = (
    "automations.events.actions.",
    "automations.engine.actions.",
    "automations.inbox.actions.",
)
_CONNECTORS, _LIBRARY = "automations.connectors.actions.", "templates_lib.actions."
_NOTICES: Final = "automations.notices.actions."
_BRAND: Final = "tenants.branding.actions."

WITH: Final[Mapping[str, Callable[[Stage], Mapping[str, Any]]]] = {
    _AUDIT + "erasing.erase_event": lambda s: {"event": s.sealed_event, **_WHY},
    _AUDIT + "erasing.erase_sealed": lambda s: {"event": s.sealed_event, **_WHY},
    _PRIVACY + "subjects.open_request": lambda s: {"terms": ["ann@example.com"], "reference": "DSR 1"},
    _PRIVACY + "subjects.look_again": lambda s: {"row": s.keys["subject"], "terms": ["ann@example.com"]},
    _PRIVACY + "subjects.export_subject": lambda s: {"row": s.keys["subject"], "out": io.BytesIO()},
    _PRIVACY + "subjects.export_page": lambda s: {"row": s.keys["subject"], "start": 0, "most": 9},
    _PRIVACY + "subjects.erase_subject": lambda s: {
        "row": s.keys["subject"],
        "terms": ["ann@example.com"],
        "typed": s.keys["subject"].reference,
        **_WHY,
    },
    _PRIVACY + "erasures.replay_erasures": lambda s: {"tenant": s.erased_there},
    _PRIVACY + "keeping.set_term": lambda s: {"what": "events", "days": 90, "tenant": s.tenant},
    _PRIVACY + "keeping.set_terms": lambda s: {"days": {Keeps.EVENTS: 80}, "tenant": s.tenant},
    _PRIVACY + "keeping.place_hold": lambda s: {"name": "Case 7", "keys": ["10045"], **_WHY},
    _PRIVACY + "keeping.lift_hold": lambda s: {"hold": s.keys["hold"], **_WHY},
    _AUDIT + "exporting.export": lambda s: {
        "kind": "jsonl",
        "out": io.BytesIO(),
        "filters": {"object_id": s.sealed_event.object_id},
        "partner_id": None,
    },
    _AUDIT + "streaming.create_stream": lambda s: {
        "name": "SIEM",
        "kind": "webhook",
        "address": "https://siem.example.com/in",
    },
    _AUDIT + "streaming.set_stream_active": lambda s: {"stream": s.keys["stream"], "active": False},
    _AUDIT + "streaming.delete_stream": lambda s: {"stream": s.keys["stream"]},
    _ACCESS + "add_member": lambda s: {
        "partner": s.partner,
        "tenant": s.tenant,
        "email": "new@world.test",
        "name": "New",
        "role": Role.ANALYST,
    },
    _ACCESS + "inviting.invite": lambda s: {"membership": s.keys["member"]},
    _ACCESS + "set_role": lambda s: {"membership": s.keys["member"], "role": Role.ANALYST},
    _ACCESS + "remove_member": lambda s: {"membership": Membership.objects.get(pk=s.keys["member"].pk)},
    _ACCESS + "tokens.make_token": lambda s: {
        "partner": s.partner,
        "tenant": s.tenant,
        "name": "t",
        "scopes": ["events.read"],
        "expires_at": None,
    },
    _ACCESS + "tokens.revoke_token": lambda s: {"token": s.keys["token"]},
    _ACCESS + "tokens.rotate_token": lambda s: {
        "token": s.keys["token"],
        "overlap": timedelta(hours=1),
    },
    _ACCESS + "scoping.set_scope": lambda s: {
        "membership": s.keys["member"],
        "objects": [s.keys["workflow"]],
    },
    _ACCESS + "roles.make_role": lambda s: {
        "partner": s.partner,
        "tenant": s.tenant,
        "name": "Night shift",
        "permissions": ["inbox.read"],
    },
    _ACCESS + "roles.change_role": lambda s: {
        "role": s.keys["own_role"],
        "name": "Other",
        "permissions": ["inbox.read"],
    },
    _ACCESS + "roles.drop_role": lambda s: {"role": CustomRole.objects.get(pk=s.keys["own_role"].pk)},
    _ACCESS + "roles.forbid_pair": lambda s: {
        "partner": s.partner,
        "tenant": s.tenant,
        "first": "access.people",
        "second": "inbox.decide",
    },
    _ACCESS + "roles.allow_pair": lambda s: {"rule": DutyRule.objects.get(pk=s.keys["duty"].pk)},
    _ACCESS + "reviewing.start_review": lambda s: {"partner": s.partner, "tenant": s.reviewed},
    _ACCESS + "reviewing.decide_item": lambda s: {"item": s.keys["item"], "verdict": Verdict.REMOVED},
    _ACCESS + "reviewing.sign_review": lambda s: {"review": s.decided_review, "statement": "All looked at."},
    _ACCESS + "granting.grant": lambda s: {
        "user": s.person("analyst"),
        "permission": "engine.operate",
        "obj": s.keys["workflow"],
    },
    _ACCESS + "granting.withdraw": lambda s: {
        "user": s.person("analyst"),
        "permission": "engine.operate",
        "obj": s.keys["workflow"],
    },
    _ACCESS + "set_preferences": lambda s: {"user": s.person("reviewer"), "values": {"theme": "dark"}},
    _ACCESS + "set_password": lambda s: {"user": s.person("reviewer"), "password": "a new and long one"},
    _ACCESS + "set_active": lambda s: {"user": s.person("analyst"), "active": False, **_WHY},
    _VAULT + "rotate_data_key": lambda s: {"tenant": s.tenant, **_WHY},
    _VAULT + "wrap_data_keys": lambda s: {**_WHY},
    _TENANCY + "create_partner": lambda s: {"slug": "fresh", "name": "Fresh"},
    _TENANCY + "set_partner_state": lambda s: {"partner": s.partner, "state": PartnerState.SUSPENDED, **_WHY},
    _TENANCY + "request_tenant": lambda s: {"partner": s.partner, "name": "Fresh", "slug": "fresh"},
    _TENANCY + "retry_provisioning": lambda s: {"job": s.stuck_job},
    _TENANCY + "calling_off.cancel_provisioning": lambda s: {"job": s.fresh_job, **_WHY},
    _TENANCY + "set_state": lambda s: {"tenant": s.tenant, "state": TenantState.SUSPENDED, **_WHY},
    _TENANCY + "deleting.request_deletion": lambda s: {
        "tenant": s.archived,
        "typed": s.archived.name,
        **_WHY,
    },
    _TENANCY + "fleet.migrate_fleet": lambda s: {"workers": 1} if s.old else {},
    _TENANCY + "fleet.hold_tenant": lambda s: {"tenant": s.tenant, "held": True, **_WHY},
    _TENANCY + "fleet.verify_audit": lambda s: {"tenant": s.tenant, **_WHY},
    _TENANCY + "deleting.cancel_deletion": lambda s: {"tenant": s.leaving, **_WHY},
    _TENANCY + "change_settings": lambda s: {
        "tenant": s.tenant,
        "name": "Hollis Haus",
        "timezone": "Europe/Berlin",
        "currency": "GBP",
        "language": "de",
    },
    _TENANCY + "exporting.request_file": lambda s: {"tenant": s.tenant, **_WHY},
    _TENANCY + "exporting.remove_file": lambda s: {"file": s.keys["tenant_file"], **_WHY},
    _TENANCY + "exporting.note_download": lambda s: {"file": s.whole_file},
    _TENANCY + "sandboxing.request_sandbox": lambda s: {
        "tenant": s.tenant,
        "slug": "hollis-lab",
        "name": "Lab",
        **_WHY,
    },
    _TENANCY + "restoring.request_restore": lambda s: {"file": s.whole_file, **_WHY},
    _TENANCY + "restoring.drop_restore": lambda s: {"restore": s.open_restore, **_WHY},
    _TENANCY + "migrate_tenant": lambda s: {"tenant": s.old, **_WHY},
    _TENANCY + "advance_clock": lambda s: {"tenant_id": s.sandbox.id, "to": NOW + timedelta(days=1)},
    _BRAND + "domains.claim_domain": lambda s: {
        "partner": s.partner,
        "tenant": None,
        "host": "portal.fresh-example.com",
    },
    _BRAND + "domains.verify_domain": lambda s: {"claim": s.provable},
    _BRAND + "domains.make_primary": lambda s: {
        "partner": s.partner,
        "tenant": None,
        "host": s.served.host,
    },
    _BRAND + "domains.release_domain": lambda s: {"claim": s.served},
    _BRAND + "editing.save_draft": lambda s: {"partner": s.partner, "values": {"name": "Draft"}},
    _BRAND + "editing.publish_draft": lambda s: {"partner": s.drafting},
    _BRAND + "editing.discard_draft": lambda s: {"partner": s.drafting},
    _BRAND + "editing.roll_back": lambda s: {"partner": s.drafting, "number": 1},
    _BRAND + "pictures.set_favicon": lambda s: {"partner": s.partner, "picture": picture("maroon")},
    _BRAND + "editing.set_brand": lambda s: {
        "partner": s.partner,
        "name": "Other",
        "colour": "#123456",
        "sidebar": Brand._meta.get_field("sidebar").choices[-1][0],
        "support_email": "",
        "support_url": "",
    },
    _BRAND + "pictures.set_logo": lambda s: {"partner": s.partner, "picture": picture("maroon")},
    _INBOX + "tasks.do_task": lambda s: {"case_id": s.store_task, "value": None},
    _NOTICES + "wishes.set_rules": lambda s: {"wishes": {About.OPENED: default(About.OPENED, decides=True)}},
    _NOTICES + "channels.create_channel": lambda s: {
        "name": "Room",
        "kind": "slack",
        "address": "https://hooks.example.com/room",
    },
    _NOTICES + "channels.set_channel_active": lambda s: {"channel": s.keys["channel"], "active": False},
    _NOTICES + "channels.try_channel": lambda s: {"channel": s.keys["channel"]},
    _NOTICES + "channels.delete_channel": lambda s: {"channel": s.keys["channel"]},
    "billing.actions.subscribe": lambda s: {
        "tenant": s.tenant,
        "plan": Plan.objects.order_by("-price_minor")[0],
        "since": date(2026, 3, 1),
    },
    "automations.ledger.actions.pause_slot": lambda s: {"tenant": s.tenant, "paused": True, **_WHY},
    "automations.ledger.actions.pause_tenant": lambda s: {"tenant": s.tenant, "paused": True, **_WHY},
    "automations.ledger.actions.pause_partner": lambda s: {"partner": s.partner, "paused": True, **_WHY},
    "automations.ledger.actions.limit_tenant": lambda s: {"tenant": s.tenant, "most": 5},
    _ENGINE + "pausing.pause_run": lambda s: {"run_id": s.keys["run"].id, "paused": True, **_WHY},
    _ENGINE + "pausing.pause_connection": lambda s: {
        "connection": s.keys["connection"],
        "paused": True,
        **_WHY,
    },
    _ENGINE + "pausing.limit_workflow": lambda s: {
        "workflow": s.keys["workflow"],
        "concurrency": {"key": "$business", "limit": 1},
    },
    _ENGINE + "pausing.limit_connection": lambda s: {"connection": s.keys["connection"], "calls_at_once": 2},
    _ENGINE + "workflows.publish": lambda s: {"document": read(_FLOW)},
    _ENGINE + "workflows.deploy": lambda s: {
        "name": "fresh",
        "title": "Fresh",
        "definition": s.keys["workflow"].definition,
        "config": {},
        "connections": {},
    },
    _ENGINE + "workflows.set_state": lambda s: {
        "workflow": s.keys["workflow"],
        "state": WorkflowState.PAUSED,
    },
    _ENGINE + "workflows.set_config": lambda s: {
        "workflow": s.keys["workflow"],
        "config": {"a": 1},
        "connections": {},
    },
    _ENGINE + "workflows.start_run": lambda s: {"workflow": s.keys["workflow"], "given": {"order_id": "1"}},
    _ENGINE + "operate.resume": lambda s: {"run_id": s.keys["run"].id, "mode": "retry", **_WHY},
    _ENGINE + "operate.cancel": lambda s: {"run_id": s.keys["run"].id, **_WHY},
    _ENGINE + "redriving.start_bulk": lambda s: {
        "act": "retry",
        "wanted": RunFilter(workflow=s.keys["workflow"].id),
        **_WHY,
    },
    _ENGINE + "redriving.stop_bulk": lambda s: {"bulk_id": s.keys["bulk"].id, **_WHY},
    _ENGINE + "redriving.cancel_bulk": lambda s: {"bulk_id": s.keys["bulk"].id, **_WHY},
    _ENGINE + "redriving.continue_bulk": lambda s: {"bulk_id": s.stopped_bulk.id, **_WHY},
    _ENGINE + "rewinding.rewind": lambda s: {"run_id": s.keys["run"].id, "no": 0, **_WHY},
    _ENGINE + "migrating.migrate": lambda s: {
        "run_id": s.keys["run"].id,
        "definition": s.newer_definition,
        **_WHY,
    },
    _ENGINE + "decisions.publish_table": lambda s: {"name": "fresh", "document": _TABLE, **_WHY},
    _ACCOUNTS + "visits.begin": lambda s: {
        "user": s.person("analyst"),
        "session_key": "fresh",
        "host": s.ground.cast.place(s.ground.cast.host),
        "via": Via.PASSWORD,
        "strong": False,
        "agent": "A browser",
    },
    _ACCOUNTS + "visits.end": lambda s: {"visit": s.visit},
    _ACCOUNTS + "visits.end_others": lambda s: {"user": s.visit.user, "keep": None},
    _ACCOUNTS + "factors.add_app": lambda s: {
        "user": s.person("analyst"),
        "secret": _APP,
        "code": factors.code_at(_APP, int(NOW.timestamp()) // factors.STEP_SECONDS),
    },
    _ACCOUNTS + "factors.renew_codes": lambda s: {"user": s.person("analyst")},
    _ACCOUNTS + "factors.remove": lambda s: {"factor": s.factor},
    _ACCOUNTS + "factors.reset": lambda s: {"user": s.factor.user, **_WHY},
    _ACCOUNTS + "factors.reset_member": lambda s: {
        "membership": s.keys["member"],
        "reason": "called back on their number",
    },
    _ACCOUNTS + "passkeys.add": lambda s: s.new_passkey,
    _ACCOUNTS + "providers.add_provider": lambda s: {
        "partner": s.partner,
        "tenant": s.tenant,
        "values": s.answering_provider,
        "secret": "a secret of many",
        "said": {"issuer": "https://fresh.example.com"},
    },
    _ACCOUNTS + "providers.add_saml_provider": lambda s: {
        "partner": s.partner,
        "tenant": s.tenant,
        "values": {"name": "Fresh", "domains": ["fresh.example.com"], "role": ""},
        "metadata": _METADATA,
    },
    _ACCOUNTS + "providers.change_saml_provider": lambda s: {
        "provider": s.provider,
        "values": {"name": "Other"},
        "metadata": "",
    },
    _ACCOUNTS + "providers.change_provider": lambda s: {
        "provider": s.provider,
        "values": {"name": "Other"},
        "secret": "",
    },
    _ACCOUNTS + "providers.remove_provider": lambda s: {"provider": s.provider},
    _ACCOUNTS + "scim.provision": lambda s: {
        "partner": s.partner,
        "tenant": s.tenant,
        "values": {"user_name": "fresh@world.test"},
    },
    _ACCOUNTS + "scim.change": lambda s: {"row": s.directory_person, "values": {"active": False}},
    _ACCOUNTS + "scim.withdraw": lambda s: {"row": s.directory_person},
    _ACCOUNTS + "support.ask": lambda s: {
        "tenant": s.tenant,
        "user": s.person("partner_engineer"),
        "reason": "Orders wait since the morning",
        "ticket": "T-1",
        "minutes": 30,
    },
    _ACCOUNTS + "support.decide": lambda s: {"access": s.support_access, "agree": True},
    _ACCOUNTS + "support.end": lambda s: {"access": s.support_access},
    _ACCOUNTS + "policies.set_policy": lambda s: {
        "partner": s.partner,
        "tenant": s.tenant,
        "values": {"second_factor": True},
        "by_sign_on": False,
    },
    _ENGINE + "decisions.withdraw_table": lambda s: {"version": s.coming_table, **_WHY},
    _EVENTS + "endpoints.create_endpoint": lambda s: {"name": "fresh", "kind": "cloudevents"},
    _EVENTS + "endpoints.rotate_endpoint_secret": lambda s: {"endpoint": s.keys["endpoint"]},
    _EVENTS + "endpoints.set_endpoint_active": lambda s: {"endpoint": s.keys["endpoint"], "active": False},
    _EVENTS + "facts.publish_batch": lambda s: {"drafts": [_DRAFT]},
    _EVENTS + "revealing.reveal_event": lambda s: {"event": _seen_event()},
    _EVENTS + "rejections.accept_rejection": lambda s: {"rejection": s.keys["rejection"], **_WHY},
    _EVENTS + "rejections.discard_rejection": lambda s: {"rejection": s.keys["rejection"], **_WHY},
    _CONNECTORS + "create_connection": lambda s: {
        "name": "fresh",
        "connector": "erp",
        "settings": {"base_url": "https://erp.example.com"},
    },
    _CONNECTORS + "update_connection": lambda s: {"connection": s.keys["connection"], "name": "other"},
    _CONNECTORS + "set_secret": lambda s: {"connection": s.keys["connection"], "secret": "a secret of many"},
    _CONNECTORS + "test_connection": lambda s: {"connection": s.keys["connection"]},
    _CONNECTORS + "delete_connection": lambda s: {"connection": s.keys["connection"]},
    _INBOX + "deciding.decide_case": lambda s: {"case_id": s.case, "decision": Decide.RETRY},
    _INBOX + "deciding.resolve_case": lambda s: {"case_id": s.plain_case, **_WHY},
    _INBOX + "deciding.dismiss_case": lambda s: {"case_id": s.plain_case, **_WHY},
    _INBOX + "deciding.reopen_case": lambda s: {"case_id": s.closed_case, **_WHY},
    _INBOX + "deciding.decide_each": lambda s: {
        "case_ids": [s.plain_case],
        "decision": Decide.DISMISS,
        **_WHY,
    },
    _INBOX + "papers.attach_file": lambda s: {"case_id": s.case, "name": "x.txt", "content": b"seen"},
    _INBOX + "naming.save_view": lambda s: {"name": "Mine", "query": "who=me", "shared": False},
    _INBOX + "naming.remove_view": lambda s: {
        "view_id": inbox.save_view(name="Gone", query="", shared=False, actor=s.actor, now=NOW).id
    },
    _INBOX + "pending.put_decision": lambda s: {"case_id": s.case, "decision": Decide.RETRY, "undo": True},
    _INBOX + "pending.put_each": lambda s: {"case_ids": [s.case], "decision": Decide.RETRY},
    _INBOX + "pending.undo_decision": lambda s: {"intent_id": s.intent(s.ground.cast.reviewer.id).id},
    _INBOX + "pending.agree": lambda s: {
        "intent_id": s.intent(s.ground.cast.colleague.id, "asked").id,
        "digest": Intent.objects.latest("at").digest,
    },
    _INBOX + "pending.decline": lambda s: {
        "intent_id": s.intent(s.ground.cast.colleague.id, "asked").id,
        **_WHY,
    },
    "automations.insights.actions.set_target": lambda s: {"code": "approval_lag", "value": 12.0},
    _INBOX + "pending.set_limit": lambda s: {"minor": 50_000, "currency": "GBP"},
    _INBOX + "triage.claim_case": lambda s: {"case_id": s.case},
    _INBOX + "triage.assign_case": lambda s: {"case_id": s.case, "to": s.ground.cast.reviewer.id},
    _INBOX + "triage.snooze_case": lambda s: {"case_id": s.case, "until": NOW + timedelta(days=1)},
    _INBOX + "triage.comment_on_case": lambda s: {"case_id": s.case, "text": "Called the customer."},
    _LIBRARY + "installing.install": lambda s: {
        "version": s.uninstalled(),
        "tenant": s.ground.cast.tenant,
        "config": defaults(s.version.input_schema),
        "connections": {},
    },
    _LIBRARY + "installing.upgrade": lambda s: {
        "installation": s.installation,
        "version": s.newer(),
        "config": s.installation.config,
        "connections": {},
    },
    _LIBRARY + "installing.uninstall": lambda s: {"installation": s.installation, **_WHY},
    _LIBRARY + "installing.configure": lambda s: {
        "workflow": s.keys["workflow"],
        "tenant": s.ground.cast.tenant,
        "config": {"a": 1},
        "connections": {},
    },
    _LIBRARY + "publishing.publish": lambda s: {"path": _unpublished()},
    _LIBRARY + "publishing.recall": lambda s: {"version": s.version, **_WHY},
}
"""What each act is given beside `actor` and `now`."""


def _unpublished() -> Any:
    """The folder of a template that is made to be published for the first time."""
    TemplateVersion.objects.filter(slug="order-to-erp").delete()
    return CATALOG / "order-to-erp"


def inside(name: str) -> bool:
    """Whether an act is done in a client, so that a door has entered it before."""
    return (
        name.startswith(("automations.", _AUDIT, _PRIVACY, _ACCESS + "granting", _ACCESS + "scoping"))
        and ".ledger." not in name
    )


def prepared(name: str, stage: Stage) -> Callable[[], Any]:
    """The act, ready to be done."""
    does, tenant = acts()[name], stage.ground.cast.tenant
    with context.enter(tenant) if inside(name) else context.leave():
        given = WITH[name](stage)

    def do() -> Any:
        with context.enter(tenant) if inside(name) else context.leave():
            return does(actor=stage.actor, now=NOW, **given)

    return do
