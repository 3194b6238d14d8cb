"""`manage.py ui_assets [--check]`: lay style sheets and modules together, draw the icons, check vendored files."""

import hashlib
import re
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import env

ROOT: Final = env.ROOT
STATIC: Final = ROOT / "static"
VENDOR: Final = STATIC / "vendor"
_TEMPLATE_ICON: Final = re.compile(r"""\bicon(?:=|\s+)["']([a-z0-9-]+)["']""")
_PYTHON_ICON: Final = re.compile(r"""\bicon(?:=|"\s*:\s*)["']([a-z0-9-]+)["']""")
_MANIFEST_ICON: Final = re.compile(r"^icon:\s*([a-z0-9-]+)\s*$", re.MULTILINE)
_ICON_CALL: Final = re.compile(r"\bicon\(([^()]*)\)")
_NAME: Final = re.compile(r"""["']([a-z0-9]+(?:-[a-z0-9]+)*)["']""")
_VENDORED: Final = re.compile(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", re.MULTILINE)
_SYMBOL: Final = re.compile(r'<symbol id="([a-z0-9-]+)"')


class Command(BaseCommand):
    """Needs Python alone. What it writes is committed, so a portal that runs never needs it."""

    help = "Rebuild portal.css, portal.js and icons.svg; check the hashes of vendored files."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--check` writes nothing and fails where something would change."""
        parser.add_argument("--check", action="store_true", help="Write nothing; fail if something is stale.")

    def handle(self, *_: Any, check: bool, **__: Any) -> None:
        """Build or check each file, then the vendored ones. Raises CommandError."""
        stale = []
        for target, content in (
            ("portal.css", bundled_css()),
            ("portal.js", bundled_js()),
            ("icons.svg", sprite()),
        ):
            path = STATIC / target
            if content is None or (path.exists() and path.read_text() == content):
                continue
            if check:
                stale.append(f"static/{target} is older than its sources")
            else:
                path.write_text(content)
                self.stdout.write(f"wrote static/{target}: {len(content.encode())} bytes")
        stale += changed_vendors() + missing_icons()
        if stale:
            raise CommandError("; ".join(stale) + "; run manage.py ui_assets")
        self.stdout.write("assets are in order")


def bundled_css() -> str:
    """The style sheets in the order of their numbers, without comments and indents."""
    text = "\n".join(path.read_text() for path in sorted((STATIC / "css").glob("*.css")))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).replace(
        'url("../', 'url("'
    )  # one folder up from them
    return "".join(f"{line.strip()}\n" for line in text.splitlines() if line.strip())


def bundled_js() -> str:
    """The modules laid one after another, in the order of their numbers; their imports name only earlier ones.

    A module that exports nothing is put in a block of its own, so that its names stay its own.
    """
    return "".join(_module(path.read_text()) for path in sorted((STATIC / "js").glob("*.js")))


def _module(text: str) -> str:
    alone = not re.search(r"^export ", text, flags=re.MULTILINE)
    text = re.sub(r'^import [^;]*? from "\./[^"]+";\n', "", text, flags=re.MULTILINE)
    text = re.sub(r"^export ", "", text, flags=re.MULTILINE)
    text = re.sub(r"^\s*/\*.*?\*/\n", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = "".join(f"{line.rstrip()}\n" for line in text.splitlines() if line.strip())
    return f"{{\n{lines}}}\n" if alone else lines


def used_icons() -> set[str]:
    """Every icon that a template, a Python file, a module or the manifest of an automation names."""
    found: set[str] = set()
    for path in sorted((ROOT / "templates").rglob("*.html")):
        found.update(_TEMPLATE_ICON.findall(path.read_text()))
    for house in ("portal", "tenants", "automations", "templates_lib", "billing"):
        for path in sorted((ROOT / house).rglob("*.py")):
            text = path.read_text()
            found.update(_PYTHON_ICON.findall(text))
            found.update(_called(text))
    for path in sorted((STATIC / "js").glob("*.js")):
        found.update(_called(path.read_text()))
    for path in sorted((ROOT / "templates_lib").rglob("manifest.yaml")):
        found.update(_MANIFEST_ICON.findall(path.read_text()))
    return found


def _called(text: str) -> set[str]:
    """Names in calls of `icon`, also where one of two is chosen: `icon("sun" if light else "moon")`."""
    known = _known_icons()
    return {name for call in _ICON_CALL.findall(text) for name in _NAME.findall(call) if name in known}


def _known_icons() -> set[str]:
    """What Lucide can draw; without the package, what was drawn."""
    spec = find_spec("lucide")
    if spec is not None and spec.origin is not None:
        with zipfile.ZipFile(Path(spec.origin).parent / "lucide.zip") as drawn:
            return {name.removesuffix(".svg") for name in drawn.namelist()}
    return set(_SYMBOL.findall((STATIC / "icons.svg").read_text()))


def sprite() -> str | None:
    """One SVG with a symbol for each used icon; None where the package `lucide` is not installed."""
    spec = find_spec("lucide")
    if spec is None or spec.origin is None:
        return None
    symbols = []
    with zipfile.ZipFile(Path(spec.origin).parent / "lucide.zip") as drawn:
        known = set(drawn.namelist())
        for name in sorted(used_icons()):
            if f"{name}.svg" not in known:
                raise CommandError(f"Lucide has no icon called {name}")
            source = drawn.read(f"{name}.svg").decode()
            inside = source[source.index(">", source.index("<svg")) + 1 : source.rindex("</svg>")]
            lines = "".join(line.strip() for line in inside.splitlines())
            symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{lines.replace(" />", "/>")}</symbol>\n')
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{"".join(symbols)}</svg>\n'


def missing_icons() -> list[str]:
    """Icons that something names and the sprite does not have."""
    path = STATIC / "icons.svg"
    drawn = set(_SYMBOL.findall(path.read_text())) if path.exists() else set()
    return [f"the sprite lacks {name}" for name in sorted(used_icons() - drawn)]


def changed_vendors() -> list[str]:
    """Vendored files whose hash is not the one in VENDOR.md, and files that it does not name."""
    listed = dict(_VENDORED.findall((VENDOR / "VENDOR.md").read_text()))
    wrong = []
    for name, wanted in listed.items():
        path = VENDOR / name
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != wanted:
            wrong.append(f"static/vendor/{name} is not the file that VENDOR.md names")
    there = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    return wrong + [
        f"VENDOR.md does not name static/vendor/{name}"
        for name in sorted(there - set(listed) - {"VENDOR.md"})
    ]
