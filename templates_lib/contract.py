"""What a template's folder must hold, and reading it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jsonschema_rs

from automations.engine.dsl.document import read
from automations.engine.errors import DefinitionRefused
from kernel import jsonx
from templates_lib.errors import TemplateBroken

CATALOG: Final = Path(__file__).parent / "catalog"
_SEMVER: Final = re.compile(r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$")
_MANIFEST: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["slug", "version", "title", "summary", "process", "owner", "systems", "events", "kpis"],
    "properties": {
        "slug": {"type": "string", "pattern": "^[a-z][a-z0-9-]{2,59}$"},
        "version": {"type": "string"},
        "title": {"type": "string", "minLength": 3, "maxLength": 120},
        "summary": {"type": "string", "minLength": 20},
        "process": {"type": "string"},
        "owner": {"type": "string"},
        "icon": {"type": "string"},
        "maturity": {"enum": ["beta", "stable"]},
        "systems": {"type": "array", "items": {"type": "string"}},
        "connections": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["alias", "connector", "title"],
                "properties": {
                    "alias": {"type": "string"},
                    "connector": {"type": "string"},
                    "title": {"type": "string"},
                },
            },
        },
        "events": {
            "type": "object",
            "additionalProperties": False,
            "required": ["in", "out"],
            "properties": {
                "in": {"type": "array", "items": {"type": "string"}},
                "out": {"type": "array", "items": {"type": "string"}},
            },
        },
        "kpis": {"type": "array", "items": {"type": "string"}},
    },
}
_manifest_check = jsonschema_rs.validator_for(_MANIFEST)


@dataclass(frozen=True, slots=True)
class Folder:
    """A template as its folder has it."""

    manifest: dict[str, Any]
    input_schema: dict[str, Any]
    document: dict[str, Any]
    tests: list[dict[str, Any]]
    changelog: str
    runbook: str


def read_folder(path: Path) -> Folder:
    """Read and check a template's folder. Raises TemplateBroken naming the file."""
    manifest = _yaml(path / "manifest.yaml")
    for error in _manifest_check.iter_errors(manifest):
        where = "/".join(str(part) for part in error.instance_path)
        raise TemplateBroken(fields={f"manifest.yaml/{where}": [error.message]})
    if not _SEMVER.match(manifest["version"]):
        raise TemplateBroken(fields={"manifest.yaml/version": ["Use a semantic version such as 1.2.0."]})
    if manifest["slug"] != path.name:
        raise TemplateBroken(fields={"manifest.yaml/slug": [f"The folder is called {path.name}."]})
    schema = _json(path / "input.schema.json")
    try:
        jsonschema_rs.validator_for(schema)
    except ValueError as error:
        raise TemplateBroken(fields={"input.schema.json": [str(error).splitlines()[0]]}) from None
    document = _yaml(path / "workflow.yaml")
    head = document.get("document") or {}
    if head.get("version") != manifest["version"] or head.get("name") != manifest["slug"]:
        raise TemplateBroken(fields={"workflow.yaml/document": ["Name and version must be the manifest's."]})
    return Folder(
        manifest=manifest,
        input_schema=schema,
        document=document,
        tests=[_yaml(file) for file in sorted((path / "tests").glob("*.yaml"))],
        changelog=_text(path / "CHANGELOG.md"),
        runbook=_text(path / "RUNBOOK.md"),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise TemplateBroken(fields={path.name: ["The file is missing."]}) from error


def _yaml(path: Path) -> dict[str, Any]:
    try:
        return read(_text(path))
    except DefinitionRefused as error:
        raise TemplateBroken(fields={path.name: [error.message]}) from None


def _json(path: Path) -> dict[str, Any]:
    try:
        found = jsonx.loads(_text(path))
    except ValueError as error:
        raise TemplateBroken(fields={path.name: [f"This is no JSON: {error}"]}) from None
    if not isinstance(found, dict):
        raise TemplateBroken(fields={path.name: ["A JSON Schema is an object."]})
    return found
