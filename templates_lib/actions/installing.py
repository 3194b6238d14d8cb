"""Installing a published template into a tenant."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from automations.connectors.models import Connection
from automations.engine.actions import workflows
from automations.engine.enums import WorkflowState
from automations.engine.models import Workflow
from kernel.actor import Actor, system
from kernel.errors import Invalid
from templates_lib import queries
from templates_lib.actions.trying import check_config
from templates_lib.errors import AlreadyInstalled, Recalled
from templates_lib.models import Installation, TemplateVersion
from tenants.access import policy
from tenants.audit.actions import record
from tenants.tenancy import context
from tenants.tenancy.models import ProvisioningJob
from tenants.tenancy.queries import TenantRef
from tenants.tenancy.registry import provisioning_step


def install(
    *,
    version: TemplateVersion,
    tenant: TenantRef,
    config: dict[str, Any],
    connections: dict[str, str],
    actor: Actor,
    now: datetime,
    activate: bool = True,
) -> Installation:
    """Put a template to work in `tenant`, pinned to this version.

    Raises Invalid for settings or connections that do not fit, naming the field; Recalled; AlreadyInstalled.
    """
    actor.require("templates.install")
    if version.recalled_at is not None:
        raise Recalled
    check_config(version, config)
    try:
        with context.enter(tenant), transaction.atomic():
            _check_connections(version, connections)
            definition = workflows.publish(document=version.document, actor=actor, now=now)
            workflow = workflows.deploy(
                name=version.slug,
                title=version.title,
                definition=definition,
                config=config,
                connections=connections,
                template=f"{version.slug}@{version.version}",
                state=WorkflowState.ACTIVE if activate else WorkflowState.OFF,
                actor=actor,
                now=now,
            )
            installation = Installation.objects.create(
                tenant_id=tenant.id,
                version=version,
                slug=version.slug,
                workflow_id=workflow.id,
                config=config,
                connections=connections,
                installed_by=actor.label,
                installed_at=now,
            )
            record(
                actor=actor,
                action="templates.install",
                obj=installation,
                now=now,
                after={"template": str(version), "config": config, "connections": connections},
            )
    except IntegrityError as error:
        raise AlreadyInstalled from error
    return installation


def upgrade(
    *,
    installation: Installation,
    version: TemplateVersion,
    config: dict[str, Any],
    connections: dict[str, str],
    actor: Actor,
    now: datetime,
) -> Installation:
    """Let an installation work by another version of its template; runs under way end by the one they began with.

    Raises Invalid for settings, connections or a version that do not fit, naming the field, and Recalled.
    """
    actor.require("templates.install")
    if version.recalled_at is not None:
        raise Recalled
    if version.slug != installation.slug:
        raise Invalid(fields={"version": ["This is a version of another template."]})
    check_config(version, config)
    with context.enter(installation.tenant_id), transaction.atomic():
        row = _locked(installation)
        _check_connections(version, connections)
        before = {"version": row.version.version, "config": row.config, "connections": row.connections}
        workflows.deploy(
            name=version.slug,
            title=version.title,
            definition=workflows.publish(document=version.document, actor=actor, now=now),
            config=config,
            connections=connections,
            template=f"{version.slug}@{version.version}",
            state=WorkflowState(Workflow.objects.get(pk=row.workflow_id).state),
            actor=actor,
            now=now,
        )
        row.version, row.config, row.connections, row.upgraded_at = version, config, connections, now
        row.save(update_fields=["version", "config", "connections", "upgraded_at"])
        after = {"version": version.version, "config": config, "connections": connections}
        record(actor=actor, action="templates.upgrade", obj=row, now=now, before=before, after=after)
    return row


def _locked(installation: Installation) -> Installation:
    """The row as it is now, held until the end of the transaction."""
    rows = Installation.objects.select_for_update(of=("self",)).select_related("version")
    return rows.get(pk=installation.pk)


def uninstall(*, installation: Installation, actor: Actor, now: datetime, reason: str = "") -> None:
    """Switch the workflow off and forget the installation; runs that are under way go on to their end."""
    actor.require("templates.install")
    with context.enter(installation.tenant_id), transaction.atomic():
        workflow = Workflow.objects.filter(pk=installation.workflow_id).first()
        if workflow is not None:
            workflows.set_state(
                workflow=workflow, state=WorkflowState.OFF, actor=actor, now=now, reason=reason
            )
        record(
            actor=actor,
            action="templates.uninstall",
            obj=installation,
            now=now,
            before={"template": str(installation.version)},
            reason=reason,
        )
        installation.delete()


def configure(
    *,
    workflow: Workflow,
    tenant: TenantRef,
    config: dict[str, Any],
    connections: dict[str, str],
    actor: Actor,
    now: datetime,
) -> Workflow:
    """Change the settings of a workflow, checked against the template that it was installed from, if it was.

    Raises Invalid for settings or connections that do not fit, naming the field, and Forbidden.
    """
    policy.require(actor, "engine.operate", workflow)
    with context.enter(tenant), transaction.atomic():
        found = (
            Installation.objects.select_for_update(of=("self",))
            .select_related("version")
            .filter(tenant_id=tenant.id, workflow_id=workflow.id)
            .first()
        )
        if found is not None:
            check_config(found.version, config)
            _check_connections(found.version, connections)
            found.config, found.connections = config, connections
            found.save(update_fields=["config", "connections"])
        return workflows.set_config(
            workflow=workflow, config=config, connections=connections, actor=actor, now=now
        )


def _check_connections(version: TemplateVersion, connections: dict[str, str]) -> None:
    """Raise Invalid unless each connection that the template needs is chosen, there, and of the right kind."""
    kinds = dict(Connection.objects.values_list("id", "connector"))
    known = {str(key): connector for key, connector in kinds.items()}
    wrong: dict[str, list[str]] = {}
    for need in version.needs:
        given = connections.get(need["alias"], "")
        if known.get(given) != need["connector"]:
            words = (
                f"Choose a connection of the kind {need['connector']}." if given else "Choose a connection."
            )
            wrong[f"connections.{need['alias']}"] = [words]
    if wrong:
        raise Invalid(fields=wrong)


@provisioning_step(70, "blueprint", "Install templates")
def install_blueprint(ref: TenantRef, job: ProvisioningJob, now: datetime) -> str:
    """Install the templates of the blueprint that was asked for, with their own defaults."""
    installed = []
    for version in queries.blueprint(job.request.get("blueprint", "")):
        if not Installation.objects.filter(tenant_id=ref.id, slug=version.slug).exists():
            install(
                version=version,
                tenant=ref,
                config=queries.defaults(version.input_schema),
                connections={},
                actor=system("provisioning"),
                now=now,
            )
        installed.append(version.title)
    return f"Installed: {', '.join(installed)}" if installed else "No templates asked for"
