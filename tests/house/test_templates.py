"""What no template and no script may hold: anything that a strict content security policy would have to be loosened for."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command

from portal.env import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
FORBIDDEN = {
    "a style attribute": re.compile(r"""\sstyle\s*="""),
    "a style element": re.compile(r"<style\b"),
    "a script with a body": re.compile(r"<script\b[^>]*>(?!\s*</script>)"),
    "an inline handler": re.compile(r"\son[a-z]+\s*="),
    "hx-on": re.compile(r"\bhx-on"),
    "a script in an attribute": re.compile(r"""["']\s*(?:js|javascript):"""),
    "a filter in hx-trigger": re.compile(r"""hx-trigger\s*=\s*"[^"]*\["""),
    "an unescaped value": re.compile(r"\|\s*safe\b|\{%\s*autoescape\s+off"),
}
MAILS = ROOT / "templates" / "mail"  # mail has neither this policy nor style sheets of its own


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [path for path in TEMPLATES if MAILS not in path.parents], ids=name_of)
def test_a_template_holds_nothing_that_the_policy_forbids(path: Path) -> None:
    text = path.read_text()
    assert [what for what, pattern in FORBIDDEN.items() if pattern.search(text)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_badge_of_a_state_has_an_icon_and_a_word(path: Path) -> None:
    """By hand a badge is only made with an icon; `plain` ones claim no state."""
    for badge in re.findall(r'<span class="badge (?!plain)[^"]*">(.*?)</span>', path.read_text(), re.DOTALL):
        if "hidden" not in badge:
            assert "{% icon" in badge, badge


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_a_script_makes_no_html_and_no_code_from_text(path: Path) -> None:
    text = path.read_text()
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "new Function", "document.write"):
        assert word not in text, word


def test_a_script_speaks_only_to_this_host() -> None:
    for path in SCRIPTS:
        assert not re.findall(r"https?://(?!www\.w3\.org)", path.read_text()), path.name


def test_our_own_bundle_is_as_new_as_its_sources_and_vendored_files_are_what_they_were() -> None:
    call_command("ui_assets", check=True, verbosity=0)


def test_every_status_has_a_colour_an_icon_and_a_word() -> None:
    from portal.ui.kit.status import LOOKS

    for state, look in LOOKS.items():
        assert look.tone in {"ok", "info", "warn", "bad", "review", "wait"}, state
        assert look.icon, state
        assert str(look.word).strip(), state


def test_every_chart_comes_with_its_table() -> None:
    from portal.ui.kit import charts
    from portal.ui.kit.charts import Series

    series = [Series("Orders", [3, None, 5])]
    for drawn in (
        charts.lines(["a", "b", "c"], series, title="Orders"),
        charts.stacked(["a", "b", "c"], series, title="Orders"),
        charts.histogram(["a", "b", "c"], [1, 2, 3], title="Orders"),
    ):
        assert drawn.count("<table") == 1
        assert drawn.count('<th scope="row">') == 3
        assert "style=" not in drawn


def test_static_files_can_be_collected_under_names_that_never_change(
    tmp_path: Path, settings: object
) -> None:
    for name, value in {
        "STATIC_ROOT": tmp_path,
        "STORAGES": {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}},
    }.items():
        setattr(settings, name, value)
    call_command("collectstatic", interactive=False, verbosity=0)
    sheet = next(tmp_path.glob("portal.*.css")).read_text()
    assert 'url("vendor/inter/inter-latin.' in sheet
    assert list(tmp_path.glob("portal.*.js.br"))


def _included(path: Path) -> set[str]:
    """The templates that a template is made of, with theirs."""
    found: set[str] = set()
    waiting = [path.read_text()]
    while waiting:
        for name in re.findall(r"\{% (?:include|extends) \"([^\"]+)\"", waiting.pop()):
            if name not in found and (ROOT / "templates" / name).exists():
                found.add(name)
                waiting.append((ROOT / "templates" / name).read_text())
    return found


def test_the_style_guide_shows_every_component() -> None:
    shown = _included(ROOT / "templates" / "styleguide" / "page.html")
    components = {f"components/{path.name}" for path in (ROOT / "templates" / "components").glob("*.html")}
    assert components - shown == set()
