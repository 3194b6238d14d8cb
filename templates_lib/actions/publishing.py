"""Publishing templates: from a folder to a version that never changes."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

import rfc8785
from django.db import transaction

from automations.engine.catalog import FUNCTIONS
from automations.engine.dsl.compile import compile_document
from kernel.actor import Actor
from templates_lib.actions.trying import run_tests
from templates_lib.contract import CATALOG, Folder, read_folder
from templates_lib.errors import TemplateBroken, TemplateTestsFail, VersionFixed
from templates_lib.models import TemplateVersion
from tenants.audit.actions import record


def content_hash(folder: Folder) -> str:
    """SHA-256 over everything that the folder holds, in canonical form (RFC 8785)."""
    content: dict[str, Any] = {
        "manifest": folder.manifest,
        "input_schema": folder.input_schema,
        "document": folder.document,
        "tests": folder.tests,
        "changelog": folder.changelog,
        "runbook": folder.runbook,
    }
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def publish(*, path: Path, actor: Actor, now: datetime) -> TemplateVersion:
    """Publish the template in `path`; the same content again gives the version that is there.

    Raises TemplateBroken, DefinitionRefused, TemplateTestsFail, and VersionFixed for other content under a version
    that is published.
    """
    actor.require("templates.install")
    folder = read_folder(path)
    digest = content_hash(folder)
    manifest = folder.manifest
    found = TemplateVersion.objects.filter(
        slug=manifest["slug"], version=manifest["version"], partner__isnull=True
    ).first()
    if found is not None:
        if found.digest != digest:
            raise VersionFixed(f"{found} is published with other content; raise the version")
        return found
    _check(folder)
    failures = run_tests(folder)
    if failures:
        raise TemplateTestsFail("; ".join(failures), fields={"tests": failures})
    with transaction.atomic():
        version = TemplateVersion.objects.create(
            slug=manifest["slug"],
            version=manifest["version"],
            title=manifest["title"],
            summary=manifest["summary"],
            manifest=manifest,
            input_schema=in_order(folder.input_schema),
            document=folder.document,
            tests=folder.tests,
            changelog=folder.changelog,
            runbook=folder.runbook,
            digest=digest,
            published_at=now,
        )
        record(
            actor=actor,
            action="templates.publish",
            obj=version,
            now=now,
            after={"digest": digest, "title": version.title},
        )
    return version


def in_order(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON Schema that says in `x-order` how its author ordered the settings: the database keeps no order."""
    parts = {name: in_order(part) for name, part in schema.get("properties", {}).items()}
    found = {**schema, **({"properties": parts, "x-order": list(parts)} if parts else {})}
    if isinstance(schema.get("items"), dict):
        found["items"] = in_order(schema["items"])
    return found


def _check(folder: Folder) -> None:
    """The manifest says what the workflow does: connections, events in, events out."""
    program = compile_document(folder.document, FUNCTIONS)
    aliases = {need["alias"] for need in folder.manifest.get("connections", [])}
    wrong: dict[str, list[str]] = {}
    if aliases != set(program.connections):
        wrong["manifest.yaml/connections"] = [f"The workflow uses {sorted(program.connections)}."]
    starts = {part.type for part in program.start.filters}
    if not starts <= set(folder.manifest["events"]["in"]):
        wrong["manifest.yaml/events/in"] = [f"The workflow starts on {sorted(starts)}."]
    if set(program.emits) != set(folder.manifest["events"]["out"]):
        wrong["manifest.yaml/events/out"] = [f"The workflow emits {sorted(program.emits)}."]
    if wrong:
        raise TemplateBroken(fields=wrong)


def publish_catalog(*, actor: Actor, now: datetime) -> list[TemplateVersion]:
    """Publish every template that the portal brings along."""
    folders = sorted(path.parent for path in CATALOG.glob("*/manifest.yaml"))
    return [publish(path=path, actor=actor, now=now) for path in folders]


def recall(*, version: TemplateVersion, reason: str, actor: Actor, now: datetime) -> TemplateVersion:
    """Let a version be installed no more; where it works it goes on. What is everybody's is for operators to recall."""
    actor.require("templates.install" if version.partner_id else "platform.partners")
    with transaction.atomic():
        version = TemplateVersion.objects.select_for_update().get(pk=version.pk)
        if version.recalled_at is None:
            version.recalled_at = now
            version.save(update_fields=["recalled_at"])
            record(
                actor=actor,
                action="templates.recall",
                obj=version,
                now=now,
                before={"recalled": False},
                after={"recalled": True},
                reason=reason,
                partner_id=version.partner_id,
            )
    return version
