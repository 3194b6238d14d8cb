"""`manage.py openapi`: write the OpenAPI documents to docs/openapi/; with `--check` say what differs instead."""

import difflib
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from ruamel.yaml import YAML
from ruamel.yaml.compat import StringIO
from ruamel.yaml.scalarstring import LiteralScalarString

from kernel import jsonx
from portal.api.document import ADDRESSES, document
from portal.env import ROOT

FOLDER: Final = ROOT / "docs" / "openapi"
_SHOWN: Final = 200


class Command(BaseCommand):
    """Keeps the committed documents what the code says."""

    help = "Write the OpenAPI documents to docs/openapi; with --check fail if they differ from the code."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """One switch."""
        parser.add_argument("--check", action="store_true", help="write nothing; fail and show what differs")

    def handle(self, *_: Any, check: bool, **__: Any) -> None:
        """Write or compare each document. Raises CommandError where one differs."""
        different = []
        for kind in ADDRESSES:
            path, made = FOLDER / f"{kind}.yaml", text_of(kind)
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(made)
                self.stdout.write(f"{path.relative_to(ROOT)}: {made.count('operationId:')} operations")
            elif difference := _difference(path, made):
                different += difference
        if different:
            shown = "\n".join(different[:_SHOWN])
            more = f"\n… and {len(different) - _SHOWN} lines more" if len(different) > _SHOWN else ""
            raise CommandError(
                f"{shown}{more}\nThe API is not what docs/openapi says. If that is meant: manage.py openapi"
            )


def text_of(kind: str) -> str:
    """The document of a kind of host as YAML."""
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 110
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    # plain data: no shared parts that YAML would write as anchors
    yaml.dump(_readable(jsonx.loads(jsonx.dumps(document(kind)))), out)
    return str(out.getvalue())


def _readable(value: Any) -> Any:
    """`value` with texts of several lines as blocks."""
    if isinstance(value, dict):
        return {name: _readable(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_readable(part) for part in value]
    return LiteralScalarString(value) if isinstance(value, str) and "\n" in value else value


def _difference(path: Path, made: str) -> list[str]:
    committed = path.read_text() if path.exists() else ""
    name = str(path.relative_to(ROOT))
    return list(
        difflib.unified_diff(
            committed.splitlines(),
            made.splitlines(),
            f"{name} (committed)",
            f"{name} (the code)",
            lineterm="",
            n=2,
        )
    )
