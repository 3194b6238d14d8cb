"""The operators' office: who enters, what it shows, that acts go through the rooms and nothing can be typed over."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import BinaryField
from django.test import Client
from django.urls import reverse

from automations.ledger.models import IntakeRow, QueueRow, Slot, Worker
from billing.models import Subscription
from kernel import ids
from portal.admin.addresses import site
from templates_lib.models import TemplateVersion
from tenants.access.models import ApiToken, Membership, User
from tenants.audit.models import AuditEvent
from tenants.tenancy.models import Domain, Partner, ProvisioningJob, Tenant
from tests.house import world
from tests.portal.ui.conftest import _plain_files  # noqa: F401 - a fixture
from tests.support.cast import NOW, Cast

CONF = "portal.urls_platform"
MODELS = sorted(site._registry, key=lambda model: model._meta.label)


def address(model: Any, what: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", CONF, args=args)


@pytest.fixture
def office(cast: Cast, client_for: Callable[..., Client]) -> Client:
    """The operator on the platform's host."""
    return client_for(cast.operator, cast.platform_host)


@pytest.fixture
def furnished(cast: Cast, now: object) -> world.World:
    """Something in every list."""
    made = world.of_tenant(cast.tenant, "Zephyr")
    Worker.objects.create(id=ids.uuid7(), host="w1", pid=1, started_at=NOW, heartbeat_at=NOW)
    IntakeRow.objects.create(tenant_id=cast.tenant.id, event_id=ids.uuid7())
    return made


def first_key(model: Any) -> Any:
    """The key alone: a queue row that is due at once carries an instant that Python has no value for."""
    return model._default_manager.values_list("pk", flat=True).first()


def act(office: Client, model: Any, name: str, *rows: Any, reason: str = "because") -> str:
    given = {
        "action": name,
        "_selected_action": [str(row.pk) for row in rows],
        "reason": reason,
        "index": "0",
    }
    answer = office.post(address(model), given, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_nobody_is_led_to_our_own_sign_in_page(cast: Cast) -> None:
    answer = Client(HTTP_HOST=cast.platform_host).get("/admin/")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in?next=%2Fadmin%2F")
    login = Client(HTTP_HOST=cast.platform_host).get("/admin/login/?next=/admin/access/user/")
    assert login["Location"].startswith("/sign-in?")


@pytest.mark.parametrize("who", ["stranger", "partner_admin", "owner"])
def test_whoever_is_no_operator_finds_nothing(
    cast: Cast, client_for: Callable[..., Client], who: str
) -> None:
    browser = client_for(getattr(cast, who), cast.platform_host)
    for path in ("/admin/", *(address(model) for model in MODELS)):
        assert browser.get(path).status_code == 404, path


def test_there_is_no_office_on_other_hosts(cast: Cast, client_for: Callable[..., Client]) -> None:
    for host in (cast.partner_host, cast.host):
        assert client_for(cast.operator, host).get("/admin/").status_code == 404


def test_the_first_page_says_how_the_installation_does(office: Client, furnished: world.World) -> None:
    text = office.get("/admin/").content.decode()
    for words in (
        "How the installation does",
        "Workers heard of",
        "Clients behind on migrations",
        "Done lately",
    ):
        assert words in text
    assert "style=" not in text


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_list_and_every_row_can_be_looked_at(
    office: Client, furnished: world.World, model: Any, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(30):
        listed = office.get(address(model))
    assert listed.status_code == 200
    assert office.get(address(model) + "?q=zephyr").status_code == 200
    key = first_key(model)
    assert key is not None, "the test furnishes nothing for this list"
    shown = office.get(address(model, "change", key))
    assert shown.status_code == 200
    assert 'name="_save"' not in shown.content.decode()


@pytest.mark.parametrize(
    "model", [one for one in MODELS if one is not Partner], ids=lambda model: model._meta.label
)
def test_nothing_can_be_typed_over_added_or_deleted(
    office: Client, furnished: world.World, model: Any
) -> None:
    key, before = first_key(model), model._default_manager.count()
    assert office.post(address(model, "change", key), {"name": "x", "is_staff": "on"}).status_code == 403
    assert office.get(address(model, "add")).status_code == 403
    assert office.post(address(model, "delete", key), {"post": "yes"}).status_code == 403
    assert model._default_manager.count() == before
    assert "delete_selected" not in office.get(address(model)).content.decode()


def test_no_secret_is_on_any_page(office: Client, furnished: world.World, cast: Cast) -> None:
    cast.owner.refresh_from_db()
    token = ApiToken.objects.first()
    assert token is not None
    pages = [address(model) for model in MODELS] + [
        address(User, "change", cast.owner.pk),
        address(ApiToken, "change", token.pk),
    ]
    for path in pages:
        text = office.get(path).content.decode()
        assert cast.owner.password not in text, path
        assert "argon2" not in text, path
        assert token.digest not in text, path


def test_a_partner_is_made_with_its_console_and_a_trace(office: Client) -> None:
    answer = office.post(address(Partner, "add"), {"slug": "nordic", "name": "Nordic Retail"})
    assert answer.status_code == 302
    made = Partner.objects.get(slug="nordic")
    assert Domain.objects.get(partner=made).host == "nordic.localhost"
    event = AuditEvent.objects.get(action="tenancy.create_partner", object_id=made.public_id)
    assert (event.actor_label, event.address) == ("Olga Operator", "127.0.0.1")
    taken = office.post(address(Partner, "add"), {"slug": "nordic", "name": "Again"})
    assert taken.status_code == 200
    assert Partner.objects.filter(slug="nordic").count() == 1


@pytest.mark.parametrize(
    ("model", "name", "find", "changed", "action"),
    [
        (Partner, "suspend", {"slug": "lumen"}, {"state": "suspended"}, "tenancy.set_partner_state"),
        (Tenant, "suspend", {"slug": "arbor"}, {"state": "suspended"}, "tenancy.lifecycle"),
        (Tenant, "archive", {"slug": "arbor"}, {"state": "archived"}, "tenancy.lifecycle"),
        (User, "deactivate", {"email": "stranger@cast.test"}, {"is_active": False}, "access.set_active"),
        (Slot, "pause", {}, {"paused": True, "open": False}, "ledger.pause_slot"),
    ],
)
def test_an_act_changes_its_row_and_leaves_its_trace(
    office: Client, furnished: world.World, model: Any, name: str, find: Any, changed: Any, action: str
) -> None:
    row = model.objects.filter(**find).first()
    assert "Give a reason." in act(office, model, name, row, reason="")
    assert not AuditEvent.objects.filter(action=action, actor_label="Olga Operator").exists()
    act(office, model, name, row)
    row.refresh_from_db()
    assert {key: getattr(row, key) for key in changed} == changed
    event = AuditEvent.objects.get(action=action, actor_label="Olga Operator")
    assert event.reason == "because"


def test_what_is_refused_is_told_row_by_row(office: Client) -> None:
    row = Tenant.objects.get(slug="arbor")
    act(office, Tenant, "archive", row)
    assert "cannot become" in act(office, Tenant, "resume", row)


def test_nobody_locks_themselves_out(office: Client, cast: Cast) -> None:
    assert "Nobody locks themselves out." in act(office, User, "deactivate", cast.operator)
    cast.operator.refresh_from_db()
    assert cast.operator.is_active


def test_somebody_who_is_kept_out_is_out_at_once(
    office: Client, cast: Cast, client_for: Callable[..., Client]
) -> None:
    browser = client_for(cast.owner, cast.host)
    assert browser.get("/people/").status_code == 200
    act(office, User, "deactivate", cast.owner)
    assert browser.get("/people/").status_code == 302
    act(office, User, "activate", cast.owner)
    assert browser.get("/people/").status_code == 200


def test_a_paused_slot_stays_shut_when_the_client_moves(
    office: Client, cast: Cast, furnished: world.World
) -> None:
    from automations.ledger import actions as ledger
    from tenants.tenancy import queries

    slot = Slot.objects.get(tenant_id=cast.tenant.id)
    act(office, Slot, "pause", slot)
    ledger.open_slot(queries.tenant_ref(cast.tenant.id))
    slot.refresh_from_db()
    assert (slot.open, slot.paused) == (False, True)
    act(office, Slot, "open", slot)
    slot.refresh_from_db()
    assert (slot.open, slot.paused) == (True, False)


def test_a_stuck_job_begins_anew(office: Client, cast: Cast, now: object) -> None:
    job = ProvisioningJob.objects.get(tenant_id=cast.tenant.id)
    assert "this job is over" in act(office, ProvisioningJob, "retry", job)
    ProvisioningJob.objects.filter(pk=job.pk).update(
        state="running", attempts=4, error="schema: no room", lease_until=NOW + timedelta(hours=1)
    )
    act(office, ProvisioningJob, "retry", job)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.lease_until) == ("pending", 0, None)
    assert AuditEvent.objects.filter(action="tenancy.retry_provisioning").exists()


def test_a_version_is_recalled(office: Client, furnished: world.World) -> None:
    version = TemplateVersion.objects.get(slug="order-watch")
    act(office, TemplateVersion, "recall", version)
    version.refresh_from_db()
    assert version.recalled_at == NOW
    assert AuditEvent.objects.filter(action="templates.recall", reason="because").exists()


def test_a_token_is_revoked_and_a_plan_changed(office: Client, furnished: world.World) -> None:
    token = ApiToken.objects.get(name="Zephyr token 0")
    act(office, ApiToken, "revoke", token)
    token.refresh_from_db()
    assert token.revoked_at is not None
    subscription = Subscription.objects.first()
    assert subscription is not None
    act(office, Subscription, "to-plus", subscription)
    subscription.refresh_from_db()
    assert subscription.plan.code == "plus"
    assert AuditEvent.objects.filter(action="billing.subscribe").exists()


def test_the_log_of_a_client_is_verified_from_here(
    office: Client, cast: Cast, settings: Any, tmp_path: Path
) -> None:
    from tenants.audit.models import AuditCheck
    from tenants.tenancy import context

    settings.AUDIT_HEADS = tmp_path  # heads that other tests left behind are of other logs
    row = Tenant.objects.get(pk=cast.tenant.id)
    assert "1 row done." in act(office, Tenant, "verify", row)
    event = AuditEvent.objects.get(action="tenancy.verify_audit", object_id=row.public_id)
    assert (event.actor_label, event.reason) == ("Olga Operator", "because")
    with context.enter(cast.tenant):
        check = AuditCheck.objects.latest("at")
    assert (check.ok, check.asked_by) == (True, "Olga Operator")


def test_a_pasted_id_finds_its_row_and_rows_that_name_it(
    office: Client, cast: Cast, furnished: world.World
) -> None:
    ours, other = cast.tenant, Tenant.objects.exclude(pk=cast.tenant.id).order_by("name").first()
    assert other is not None
    public = Tenant.objects.get(pk=ours.id).public_id
    for text in (public, str(ours.id)):
        assert list(listed(office, Tenant, text)) == [ours.id]
        assert set(listed(office, Domain, text)) == set(
            Domain.objects.filter(tenant_id=ours.id).values_list("pk", flat=True)
        )
        assert set(listed(office, QueueRow, text)) == set(
            QueueRow.objects.filter(tenant_id=ours.id).values_list("pk", flat=True)
        )
    run = QueueRow.objects.filter(tenant_id=ours.id).values_list("run_id", flat=True)[0]
    assert len(listed(office, QueueRow, ids.public_id("run", run))) == 1
    assert listed(office, Tenant, ids.public_id("tnt", ids.uuid7())) == []


def listed(office: Client, model: Any, text: str) -> list[Any]:
    shown = office.get(address(model), {"q": text})
    assert shown.status_code == 200
    return list(shown.context["cl"].queryset.values_list("pk", flat=True))


def test_no_list_of_the_office_has_a_field_for_a_secret() -> None:
    """Not by its name, and no column of bytes: what is sealed is kept in those."""
    hidden = ("password", "secret", "digest", "private", "otp", "recovery", "cookie")
    looked = 0
    for model, office in site._registry.items():
        for name in shown_by(model, office):
            looked += 1
            if (model, name) == (TemplateVersion, "digest"):
                continue  # of what is published; a token's opens a door
            assert not any(word in name for word in hidden), (model, name)
            field = next((one for one in model._meta.fields if one.name == name), None)
            assert not isinstance(field, BinaryField), (model, name)
    assert looked > len(MODELS)


def shown_by(model: Any, office: Any) -> set[str]:
    """Every field of its forms, its columns, and what it searches."""
    fields = office.fields or [
        one.name for one in model._meta.fields if one.name not in (office.exclude or ())
    ]
    return {
        str(one) for one in (*fields, *office.list_display, *office.search_fields, *office.readonly_fields)
    }


def test_the_history_of_a_row_is_its_audit(office: Client, cast: Cast) -> None:
    row = Tenant.objects.get(slug="arbor")
    answer = office.get(address(Tenant, "history", row.pk), follow=True)
    text = answer.content.decode()
    assert row.public_id in answer.redirect_chain[0][0]
    assert "tenancy.provision" in text


def test_the_lists_count_what_there_is(office: Client, furnished: world.World) -> None:
    assert QueueRow.objects.exists()
    assert Membership.objects.exists()
    assert "Hollis Home" in office.get(address(QueueRow)).content.decode()
