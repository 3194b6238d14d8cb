"""Templates: what a folder must hold, versions that never change, installing, trying before it works."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from automations.connectors.models import Connection
from automations.engine.enums import WorkflowState
from automations.engine.models import Definition, Run, Workflow
from kernel.actor import system
from kernel.errors import Forbidden, Invalid
from templates_lib import queries
from templates_lib.actions import installing, publishing, trying
from templates_lib.contract import CATALOG, read_folder
from templates_lib.errors import AlreadyInstalled, Recalled, TemplateBroken, TemplateTestsFail, VersionFixed
from templates_lib.models import Installation, TemplateVersion
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tests.support import make

BY = system("test")
SLUGS = sorted(path.parent.name for path in CATALOG.glob("*/manifest.yaml"))


@pytest.fixture
def folder(tmp_path):
    """A copy of a template that works, to spoil."""
    made = tmp_path / "order-to-erp"
    shutil.copytree(CATALOG / "order-to-erp", made)
    return made


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("slug", SLUGS)
def test_what_the_portal_brings_along_holds_its_own_tests(slug):
    folder = read_folder(CATALOG / slug)
    assert trying.run_tests(folder) == []
    assert len(folder.tests) >= 3
    assert len(folder.runbook) > 200
    assert folder.manifest["version"] in folder.changelog


@pytest.mark.parametrize(
    ("file", "old", "new", "where"),
    [
        ("manifest.yaml", "slug: order-to-erp", "slug: other", "manifest.yaml/slug"),
        ("manifest.yaml", "title: ", "titel: ", "manifest.yaml/"),
        ("manifest.yaml", "version: ", "version: v", "manifest.yaml/version"),
        ("input.schema.json", '"type": "object"', '"type": "obj"', "input.schema.json"),
        ("input.schema.json", "{", "", "input.schema.json"),
        ("workflow.yaml", "name: order-to-erp", "name: other", "workflow.yaml/document"),
        ("workflow.yaml", "document:", "document: [", "workflow.yaml"),
    ],
)
def test_a_broken_folder_names_its_file(folder, file, old, new, where):
    edit(folder / file, old, new)
    with pytest.raises(TemplateBroken) as refused:
        read_folder(folder)
    assert list(refused.value.fields) == [where]


@pytest.mark.parametrize(
    "file", ["manifest.yaml", "workflow.yaml", "input.schema.json", "RUNBOOK.md", "CHANGELOG.md"]
)
def test_a_missing_file_is_named(folder, file):
    (folder / file).unlink()
    with pytest.raises(TemplateBroken) as refused:
        read_folder(folder)
    assert list(refused.value.fields) == [file]


def raise_version(folder: Path) -> None:
    """Make it a version of its own."""
    for file in ("manifest.yaml", "workflow.yaml"):
        edit(folder / file, "version: 1.", "version: 9.")


def test_a_manifest_that_does_not_say_what_the_workflow_does_is_refused(db, folder, now):
    raise_version(folder)
    edit(folder / "manifest.yaml", "alias: erp", "alias: warehouse")
    edit(folder / "manifest.yaml", "order.placed", "order.canceled")
    with pytest.raises(TemplateBroken) as refused:
        publishing.publish(path=folder, actor=BY, now=now)
    assert {"manifest.yaml/connections", "manifest.yaml/events/in"} <= set(refused.value.fields)


def test_a_template_whose_test_fails_is_not_published(db, folder, now):
    raise_version(folder)
    edit(folder / "tests" / "booked.yaml", "status: completed", "status: suspended")
    with pytest.raises(TemplateTestsFail) as refused:
        publishing.publish(path=folder, actor=BY, now=now)
    assert "it is completed, not suspended" in refused.value.message
    assert not TemplateVersion.objects.filter(version__startswith="9.").exists()


def test_a_published_version_never_changes(db, folder, now):
    first = publishing.publish(path=CATALOG / "order-to-erp", actor=BY, now=now)
    assert publishing.publish(path=folder, actor=BY, now=now) == first
    edit(folder / "RUNBOOK.md", "\n", "\nOne word more.\n")
    with pytest.raises(VersionFixed):
        publishing.publish(path=folder, actor=BY, now=now)
    assert TemplateVersion.objects.get(pk=first.pk).digest == first.digest


def test_the_catalogue_is_published_once(db, now):
    assert publishing.publish_catalog(actor=BY, now=now) == publishing.publish_catalog(actor=BY, now=now)
    assert sorted(version.slug for version in queries.library()) == SLUGS


# installing


def version(slug: str) -> TemplateVersion:
    return queries.versions_of(slug).first()


def settings_for(slug: str, **more):
    return {**queries.defaults(version(slug).input_schema), **more}


def test_installed_it_works_pinned_to_its_version(tenant, now):
    made = installing.install(
        version=version("order-watch"),
        tenant=tenant,
        config=settings_for("order-watch"),
        connections={},
        actor=BY,
        now=now,
    )
    workflow = Workflow.objects.get(pk=made.workflow_id)
    assert (workflow.state, workflow.template) == (
        WorkflowState.ACTIVE,
        f"order-watch@{made.version.version}",
    )
    assert Definition.objects.get(pk=workflow.definition_id).document == made.version.document
    assert AuditEvent.objects.filter(action="templates.install").count() == 1


def test_a_template_works_once_in_a_tenant(tenant, now):
    given = {
        "version": version("order-watch"),
        "tenant": tenant,
        "config": settings_for("order-watch"),
        "connections": {},
        "actor": BY,
        "now": now,
    }
    installing.install(**given)
    with pytest.raises(AlreadyInstalled):
        installing.install(**given)
    assert Installation.objects.filter(tenant_id=tenant.id).count() == 1


def test_settings_that_do_not_fit_are_named_and_nothing_is_installed(tenant, now):
    with pytest.raises(Invalid) as refused:
        installing.install(
            version=version("order-watch"),
            tenant=tenant,
            config=settings_for("order-watch", approval_hours="soon"),
            connections={},
            actor=BY,
            now=now,
        )
    assert list(refused.value.fields) == ["approval_hours"]
    assert not Installation.objects.filter(tenant_id=tenant.id).exists()
    assert not Workflow.objects.exists()


@pytest.mark.parametrize("chosen", ["nothing", "another kind", "of another tenant"])
def test_a_connection_must_be_there_and_of_the_right_kind(tenant, now, chosen):
    given = {
        "nothing": "",
        "another kind": str(make.connection("shopify", settings={}).id),
        "of another tenant": "0190a000-0000-7000-8000-000000000000",
    }
    with pytest.raises(Invalid) as refused:
        installing.install(
            version=version("order-to-erp"),
            tenant=tenant,
            config=settings_for("order-to-erp"),
            connections={"erp": given[chosen]},
            actor=BY,
            now=now,
        )
    assert list(refused.value.fields) == ["connections.erp"]


def test_a_recalled_version_is_not_installed(tenant, now):
    recalled = version("order-watch")
    recalled.recalled_at = now
    with context.leave():
        recalled.save()
    with pytest.raises(Recalled):
        installing.install(
            version=recalled,
            tenant=tenant,
            config=settings_for("order-watch"),
            connections={},
            actor=BY,
            now=now,
        )
    assert "order-watch" not in {found.slug for found in queries.library()}


def test_only_who_may_install_does(tenant, cast, now):
    with pytest.raises(Forbidden):
        installing.install(
            version=version("order-watch"),
            tenant=tenant,
            config=settings_for("order-watch"),
            connections={},
            actor=cast.actor(cast.reviewer),
            now=now,
        )


def test_uninstalled_it_starts_nothing_more_and_can_be_installed_again(tenant, now):
    given = {
        "version": version("order-watch"),
        "tenant": tenant,
        "config": settings_for("order-watch"),
        "connections": {},
        "actor": BY,
        "now": now,
    }
    made = installing.install(**given)
    installing.uninstall(installation=made, actor=BY, now=now, reason="not wanted")
    assert Workflow.objects.get().state == WorkflowState.OFF
    again = installing.install(**given)
    assert (Workflow.objects.count(), Workflow.objects.get().state, again.workflow_id) == (
        1,
        WorkflowState.ACTIVE,
        made.workflow_id,
    )


def test_settings_are_changed_under_the_schema_of_the_template(tenant, now):
    made = installing.install(
        version=version("order-watch"),
        tenant=tenant,
        config=settings_for("order-watch"),
        connections={},
        actor=BY,
        now=now,
    )
    workflow = Workflow.objects.get(pk=made.workflow_id)
    change = {"workflow": workflow, "tenant": tenant, "connections": {}, "actor": BY, "now": now}
    with pytest.raises(Invalid):
        installing.configure(config=settings_for("order-watch", approval_hours=-1), **change)
    installing.configure(config=settings_for("order-watch", approval_hours=48), **change)
    assert Workflow.objects.get().config["approval_hours"] == 48
    assert Installation.objects.get(pk=made.pk).config["approval_hours"] == 48


def test_a_partner_sees_everybodys_templates_and_its_own(db, cast, now):
    mine = version("order-watch")
    TemplateVersion.objects.create(
        **{
            name: getattr(mine, name)
            for name in ("title", "summary", "manifest", "input_schema", "document", "digest")
        },
        slug="secret-sauce",
        version="1.0.0",
        partner_id=cast.partner.id,
        published_at=now,
    )
    assert "secret-sauce" in {found.slug for found in queries.library(cast.partner.id)}
    assert "secret-sauce" not in {found.slug for found in queries.library(cast.other_partner.id)}
    assert "secret-sauce" not in {found.slug for found in queries.library()}


# trying


def test_a_preview_tells_what_would_have_happened_and_sends_nothing(tenant, now, estate_silent):
    from automations.events.actions import publish

    for number, total in (("1", 4_000), ("2", 900_000)):
        publish(
            type="order.placed",
            subject=number,
            data=make.order(order_id=number, number=number, total_minor=total),
            source="/shop",
            time=now,
        )
    seen = trying.preview(
        version("order-to-erp"),
        settings_for("order-to-erp", hold_above=100_000),
        until=(now + timedelta(hours=1)).timestamp(),
    )
    assert seen.looked_at == 2
    by_order = {run.subject: run for run in seen.runs}
    assert (by_order["1"].status, "POST /erp/orders" in by_order["1"].calls) == ("completed", True)
    assert (by_order["2"].status, by_order["2"].calls) == ("suspended", [])
    assert (Run.objects.count(), Connection.objects.count(), estate_silent) == (0, 0, [])


@pytest.fixture
def estate_silent(monkeypatch):
    """Every call that leaves the process, none is expected."""
    from automations.engine.executors import http

    calls: list[object] = []
    for name in [name for name in vars(http) if name.startswith("execute")]:
        monkeypatch.setattr(http, name, lambda *args, **_: calls.append(args))
    return calls


def test_a_preview_of_settings_that_do_not_fit_names_them(tenant, now):
    with pytest.raises(Invalid) as refused:
        trying.preview(version("order-watch"), {"approval_hours": "x"}, until=now.timestamp())
    assert "approval_hours" in refused.value.fields


def test_a_blueprint_installs_only_what_needs_no_connection():
    for title, slugs in queries.BLUEPRINTS.values():
        assert title
        for slug in slugs:
            assert not read_folder(CATALOG / slug).manifest.get("connections")
            schema = json.loads((CATALOG / slug / "input.schema.json").read_text())
            assert set(schema.get("required", [])) <= set(queries.defaults(schema))
