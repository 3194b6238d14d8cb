"""`manage.py ui_messages [--check]`: collect the words that people read, compile their translations; Python alone."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation.template import templatize

from kernel.errors import PortalError
from portal.env import ROOT
from tenants.access import catalog
from tenants.tenancy.registry import steps

HOUSES: Final = ("portal", "tenants", "automations", "templates_lib", "billing")
KEYWORDS: Final = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_TEMPLATES: Final = (".html", ".txt")
Found = tuple[str | tuple[str, ...], str, int, str | None]


class Command(BaseCommand):
    """English stands in the code; each other language has a catalog under `locale/`."""

    help = "Update locale/*/LC_MESSAGES/django.po from code and templates, and compile them."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--check` writes nothing and fails where words lack a translation or a catalog is stale."""
        parser.add_argument("--check", action="store_true", help="Write nothing; fail if words are missing.")

    def handle(self, *_: Any, check: bool, **__: Any) -> None:
        """Update or check every catalog. Raises CommandError."""
        wanted = collected()
        wrong: list[str] = []
        for path in sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po")):
            language = path.parent.parent.name
            kept = _read(path, language)
            if not check:
                kept.update(wanted, no_fuzzy_matching=True)
                kept.obsolete.clear()
                _write(kept, path)
            missing = [str(one.id) for one in wanted if one.id and not _translated(kept, one)]
            compiled = io.BytesIO()
            write_mo(compiled, kept)
            if check and (
                not path.with_suffix(".mo").exists()
                or path.with_suffix(".mo").read_bytes() != compiled.getvalue()
            ):
                wrong.append(f"{language}: django.mo is older than django.po")
            wrong += [f"{language}: {text!r} has no translation" for text in missing[:200]]
        if wrong and check:
            raise CommandError("\n".join(wrong))
        for line in wrong:
            self.stdout.write(line)
        self.stdout.write(f"{len(wanted)} texts")


def collected() -> Catalog:
    """Every text that is marked for translation, with where it stands."""
    found = Catalog(charset="utf-8")
    for path in _sources():
        for text, comment, line, context in _texts(path):
            found.add(
                text,
                locations=[(str(path.relative_to(ROOT)), line)],
                context=context,
                auto_comments=[comment] if comment else [],
            )
    for where, words in _registered():
        found.add(words, locations=[(where, 1)])
    return found


def _sources() -> Iterator[Path]:
    yield from sorted(path for path in (ROOT / "templates").rglob("*.*") if path.suffix in _TEMPLATES)
    for house in HOUSES:
        for path in sorted((ROOT / house).rglob("*.py")):
            if "migrations" not in path.parts and path.name != "ui_messages.py":
                yield path


def _texts(path: Path) -> Iterator[Found]:
    text = path.read_text()
    if path.suffix in _TEMPLATES:
        made = templatize(text, origin=str(path))  # words in the shape of calls; its indents mean nothing
        text = "\n".join(line.strip() for line in made.splitlines())
    for line, said, comments, context in extract("python", io.BytesIO(text.encode()), KEYWORDS):
        if said and said != ("",):
            yield said, " ".join(comments), line, context


def _registered() -> Iterator[tuple[str, str]]:
    """Texts that stand in a registry and are translated where they are shown."""
    for words in catalog.PERMISSIONS.values():
        yield "tenants/access/catalog.py", words
    for step in steps():
        yield "tenants/tenancy/registry.py", step.title
    for kind in _errors(PortalError):
        yield kind.__module__.replace(".", "/") + ".py", (kind.__doc__ or "").strip().splitlines()[0]


def _errors(kind: type[PortalError]) -> Iterator[type[PortalError]]:
    """An error class and all below it; their docstrings are what people read."""
    yield kind
    for below in kind.__subclasses__():
        yield from _errors(below)


def _translated(kept: Catalog, one: Any) -> bool:
    message = kept.get(one.id, one.context)
    if message is None or message.fuzzy:
        return False
    return all(message.string) if isinstance(message.string, (tuple, list)) else bool(message.string)


def _read(path: Path, language: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _write(kept: Catalog, path: Path) -> None:
    """Both forms; without dates, so that the same words give the same files."""
    kept.header_comment = f"# {kept.locale.english_name if kept.locale else 'Translation'}"
    out = io.BytesIO()
    write_po(out, kept, width=110, omit_header=False, sort_output=True, include_lineno=False)
    lines = [
        line
        for line in out.getvalue().decode().splitlines()
        if "-Date: " not in line and "Generated-By" not in line
    ]
    path.write_text("\n".join(lines) + "\n")
    compiled = io.BytesIO()
    write_mo(compiled, _read(path, path.parent.parent.name))
    path.with_suffix(".mo").write_bytes(compiled.getvalue())
