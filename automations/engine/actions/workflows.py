"""Publishing definitions and putting workflows to work."""

import hashlib
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import rfc8785
from django.db import transaction

from automations.engine.actions import resources
from automations.engine.actions.programs import programs
from automations.engine.actions.schedules import keep_time
from automations.engine.catalog import FUNCTIONS
from automations.engine.dsl.compile import compile_document
from automations.engine.dsl.program import CallFunction, EventFilter, Listen, Program, RunWorkflow
from automations.engine.enums import WorkflowState
from automations.engine.errors import DefinitionRefused, Finding, VersionTaken
from automations.engine.machine.kinds import people
from automations.engine.models import Correlation, Definition, Resource, Trigger, Workflow
from automations.engine.store import holds
from automations.ledger import actions as ledger
from automations.ledger.enums import Level
from kernel import cards, jsonx
from kernel.actor import Actor
from kernel.errors import Conflict, Invalid
from tenants.access import policy
from tenants.audit.actions import record
from tenants.tenancy import context

MAX_GENERATIONS: Final = 8
"""Levels of workflows that run workflows."""


def digest(document: dict[str, Any]) -> str:
    """SHA-256 over the canonical form (RFC 8785) of a document."""
    return hashlib.sha256(rfc8785.dumps(document)).hexdigest()


def publish(*, document: dict[str, Any], actor: Actor, now: datetime) -> Definition:
    """Publish a workflow document; the same content again gives the same definition.

    Raises DefinitionRefused with every finding, and VersionTaken for other content under a published version.
    """
    actor.require("templates.install")
    program = compile_document(document, FUNCTIONS)
    _require_children(program)
    content = digest(document)
    if (found := _published(program, content)) is not None:
        return found
    kept = resources.fetch(program.fetches)
    if kept:
        program = compile_document(document, FUNCTIONS, resources={one.address: one.document for one in kept})
    with transaction.atomic():
        definition, made = Definition.objects.get_or_create(
            name=program.name,
            version=program.version,
            defaults={"document": document, "digest": content, "published_at": now},
        )
        if not made:  # somebody else was faster
            return _same(definition, content)
        Resource.objects.bulk_create(
            [
                Resource(
                    definition=definition,
                    address=one.address,
                    digest=one.digest,
                    document=one.document,
                    fetched_at=now,
                )
                for one in kept
            ]
        )
        _register_correlations(program)
        record(
            actor=actor,
            action="engine.publish",
            obj=definition,
            now=now,
            after={
                "name": program.name,
                "version": program.version,
                "digest": content,
                "resources": {one.address: one.digest for one in kept},
            },
        )
    return definition


def _require_children(program: Program) -> None:
    """Refuse workflows that `run` others which do not exist, or deeper than MAX_GENERATIONS."""
    findings = []
    for task in program.tasks.values():
        if isinstance(task, RunWorkflow):
            child = Definition.objects.filter(name=task.workflow, version=task.version).first()
            if child is None:
                message = f"{task.workflow} {task.version} is not published; publish it first."
                findings.append(Finding("unknown-workflow", f"{task.ref}/run/workflow", message))
            elif _generations(child) >= MAX_GENERATIONS:
                message = f"Workflows run workflows more than {MAX_GENERATIONS} deep; take a level out."
                findings.append(Finding("limit", f"{task.ref}/run/workflow", message))
    if findings:
        raise DefinitionRefused(findings)


def _children(definition: Definition) -> list[Definition]:
    program = programs.compiled(definition.id, definition.document)
    wanted = {(t.workflow, t.version) for t in program.tasks.values() if isinstance(t, RunWorkflow)}
    return [Definition.objects.get(name=name, version=version) for name, version in sorted(wanted)]


def _generations(definition: Definition) -> int:
    """How many levels of workflows a definition is, itself included. There are no circles: a child is older."""
    return 1 + max((_generations(child) for child in _children(definition)), default=0)


def _published(program: Program, content: str) -> Definition | None:
    """This version, if it is published already. Raises VersionTaken if that is another document."""
    found = Definition.objects.filter(name=program.name, version=program.version).first()
    return None if found is None else _same(found, content)


def _same(found: Definition, content: str) -> Definition:
    if found.digest != content:
        raise VersionTaken(f"{found.name} {found.version} is published with other content")
    return found


def _register_correlations(program: Program) -> None:
    """From now on every event of these types is found by these expressions."""
    wanted: set[tuple[str, str]] = set()
    for task in program.tasks.values():
        if isinstance(task, Listen):
            for part in (*task.filters, *task.until_filters):
                wanted.add((part.type, _expression(part)))
        elif isinstance(task, CallFunction) and task.function.name == people.NAME:
            wanted.add((people.DECIDED, jsonx.text(list(people.SOURCES))))
    Correlation.objects.bulk_create(
        [Correlation(type=kind, expression=expression) for kind, expression in sorted(wanted)],
        ignore_conflicts=True,
    )


def _expression(part: EventFilter) -> str:
    return jsonx.text(list(part.sources)) if part.keyed else ""


def deploy(
    *,
    name: str,
    title: str,
    definition: Definition,
    config: dict[str, Any],
    connections: dict[str, str],
    actor: Actor,
    now: datetime,
    template: str = "",
    state: WorkflowState = WorkflowState.ACTIVE,
) -> Workflow:
    """Put a definition to work as a workflow of this tenant, with its settings; an existing one changes over.

    Runs that are under way stay with the definition they started on. Raises Invalid for a connection that the
    definition uses and that is not chosen.
    """
    actor.require("templates.install")
    program = programs.compiled(definition.id, definition.document)
    wanted = program.connections | _borrowed(definition)
    missing = sorted(alias for alias in wanted if not connections.get(alias))
    if missing:
        raise Invalid(fields={f"connections.{alias}": ["Choose a connection."] for alias in missing})
    with transaction.atomic():
        before = Workflow.objects.select_for_update().filter(name=name).first()
        values = {
            "title": title,
            "definition": definition,
            "config": config,
            "connections": connections,
            "template": template,
            "state": state,
        }
        old = _shown(before) if before else None
        workflow, _ = Workflow.objects.update_or_create(
            name=name, defaults=values, create_defaults={**values, "created_at": now}
        )
        _set_triggers(workflow, program)
        keep_time(workflow, program)
        _stand(workflow, paused=state == WorkflowState.PAUSED, reason="", actor=actor, now=now)
        transaction.on_commit(ledger.ring)
        record(actor=actor, action="engine.deploy", obj=workflow, now=now, before=old, after=_shown(workflow))
    return workflow


def _borrowed(definition: Definition) -> set[str]:
    """Connections that workflows which it runs take from it, having no settings of their own."""
    found: set[str] = set()
    for child in _children(definition):
        if not Workflow.objects.filter(definition__name=child.name).exists():
            found |= programs.compiled(child.id, child.document).connections | _borrowed(child)
    return found


def _shown(workflow: Workflow) -> dict[str, Any]:
    return {
        "title": workflow.title,
        "definition": str(workflow.definition),
        "config": workflow.config,
        "connections": workflow.connections,
        "template": workflow.template,
        "state": workflow.state,
    }


def _set_triggers(workflow: Workflow, program: Program) -> None:
    workflow.triggers.all().delete()
    Trigger.objects.bulk_create(
        [
            Trigger(workflow=workflow, type=kind, read=program.start.read)
            for kind in sorted({part.type for part in program.start.filters})
        ]
    )


def set_state(
    *, workflow: Workflow, state: WorkflowState, actor: Actor, now: datetime, reason: str = ""
) -> Workflow:
    """Activate a workflow, pause it, or switch it off.

    Paused, it stands still: its runs make no further call, events start runs that wait, and all go on from there
    when it is activated. Switched off, events start no runs, and those that are under way go on to their end.
    """
    policy.require(actor, "engine.operate", workflow)
    with transaction.atomic():
        workflow = Workflow.objects.select_for_update().get(pk=workflow.pk)
        before = workflow.state
        if before != state:
            workflow.state = state
            workflow.save(update_fields=["state"])
            definition = workflow.definition
            keep_time(workflow, programs.compiled(definition.id, definition.document))
            _stand(workflow, paused=state == WorkflowState.PAUSED, reason=reason, actor=actor, now=now)
            transaction.on_commit(ledger.ring)
            record(
                actor=actor,
                action="engine.set_state",
                obj=workflow,
                now=now,
                before={"state": before},
                after={"state": state},
                reason=reason,
            )
    return workflow


def _stand(workflow: Workflow, *, paused: bool, reason: str, actor: Actor, now: datetime) -> None:
    target = ledger.Target(Level.WORKFLOW, workflow.id, workflow.title, context.current().id)
    if ledger.turn(target, paused=paused, reason=reason, actor=actor, now=now) and not paused:
        holds.free(workflow.id)


def set_config(
    *, workflow: Workflow, config: dict[str, Any], connections: dict[str, str], actor: Actor, now: datetime
) -> Workflow:
    """Change the settings of a workflow; runs see them from their next move on."""
    policy.require(actor, "engine.operate", workflow)
    with transaction.atomic():
        workflow = Workflow.objects.select_for_update().get(pk=workflow.pk)
        before = {"config": workflow.config, "connections": workflow.connections}
        workflow.config, workflow.connections = config, connections
        workflow.save(update_fields=["config", "connections"])
        record(
            actor=actor,
            action="engine.set_config",
            obj=workflow,
            now=now,
            before=before,
            after={"config": config, "connections": connections},
        )
    return workflow


def start_run(*, workflow: Workflow, given: Any, actor: Actor, now: datetime) -> UUID:
    """Start a run by hand, on an empty object if nothing is given; its key. Raises Conflict while it is paused."""
    from automations.engine.actions.intake import entries_of, new_run
    from automations.engine.store import intake, lanes

    policy.require(actor, "engine.start", workflow)
    if workflow.state != WorkflowState.ACTIVE:
        raise Conflict("this workflow is not active")
    definition = workflow.definition
    program = programs.compiled(definition.id, definition.document)
    started = new_run(
        workflow_id=workflow.id,
        definition_id=definition.id,
        program=program,
        given={} if given is None else cards.masked_data(given),
        cause="manual",
        started_at=now,
    )
    with transaction.atomic():
        intake.start(context.current().id, [started])
        lanes.enter_here(context.current().id, "lane", entries_of(workflow, started))
        record(actor=actor, action="engine.start", obj=workflow, now=now, after={"run": str(started.id)})
        transaction.on_commit(ledger.ring)
    return started.id
