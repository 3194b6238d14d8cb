"""Pages about people, rights, signing in, secrets and names, and every dialog that a page opens: clean for axe, in a
light and a dark, on a desk and the narrowest phone, with a yellow brand, without a word on the console or a request elsewhere."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from kernel import clock
from kernel.actor import system
from portal.env import ROOT
from tenants.branding.actions import set_brand
from tenants.tenancy.models import Partner
from tests.browser import rooms, work
from tests.browser.conftest import Visit
from tests.support.cast import Cast

_ID = re.compile(r"[a-z]{2,5}_[0-9a-z]{26}")
OPENERS = '[...document.querySelectorAll(\'main [hx-get][hx-target="#dialog-body"], .menu [hx-get][hx-target="#dialog-body"]\')]'


def picture(seen: Visit, path: str, width: int) -> None:
    """Kept where somebody wants to look at it: SHOTS=folder."""
    folder = os.environ.get("SHOTS", "")
    if not folder:
        return
    name = _ID.sub("X", path).strip("/").replace("/", "-").replace("?", "-")[:80] or "root"
    place = ROOT / Path(folder) / f"{seen.host.split('.')[0]}-{width}-{name}.png"
    place.parent.mkdir(parents=True, exist_ok=True)
    seen.page.screenshot(path=place, full_page=True)


def objections(seen: Visit, axe: str) -> list[str]:
    said = [*seen.in_both_themes(axe), *seen.complaints, *seen.foreign, *seen.too_wide()]
    seen.complaints.clear()
    seen.page.emulate_media(color_scheme="light")
    return said


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("width", "colour"), [(1440, ""), (390, "#ffe600")])
def test_no_page_leaves_anything_to_object_to(
    cast: Cast, visit: Callable[..., Visit], axe: str, width: int, colour: str
) -> None:
    if colour:
        set_brand(
            partner=Partner.objects.get(pk=cast.partner.id),
            name="Lumina", colour=colour, sidebar="dark", support_email="", support_url="",
            actor=system("test"), now=clock.now(),
        )  # fmt: skip
    wrong = {}
    for host, who, paths in rooms.places(cast):
        seen = visit(who, host, width=width, proven=True)
        for path in paths:
            answer = seen.go(path)
            assert answer.status == 200, (path, answer.status)
            if said := objections(seen, axe):
                wrong[f"{host}{path}"] = said
            picture(seen, path, width)
    assert wrong == {}


def opened(seen: Visit, place: int) -> None:
    """Open the dialog of that opener, from a menu where it stands in one."""
    seen.page.evaluate(
        f"(place) => {{ const one = {OPENERS}[place]; one.closest('[popover]')?.showPopover(); one.click(); }}",
        place,
    )
    seen.page.wait_for_selector("#dialog[open] .dlg, #dialog[open] form")


@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("width", [1440, 390])
def test_every_dialog_is_clean_too(cast: Cast, visit: Callable[..., Visit], axe: str, width: int) -> None:
    wrong, known = {}, set()
    places = [(cast.host, cast.owner, work.pages(cast))]
    places += rooms.places(cast)
    for host, who, paths in places:
        seen = visit(who, host, width=width, proven=True)
        for path in paths:
            seen.go(path)
            asked = seen.page.evaluate(f"{OPENERS}.map((one) => one.getAttribute('hx-get'))")
            for place, address in enumerate(asked):
                name = host + _ID.sub("X", str(address)).split("?")[0]
                if name in known:
                    continue
                known.add(name)
                opened(seen, place)
                if said := objections(seen, axe):
                    wrong[name] = said
                picture(seen, f"dialog-{name.partition('/')[2]}", width)
                seen.page.keyboard.press("Escape")
                assert not seen.page.evaluate("document.querySelector('#dialog').open"), name
    assert wrong == {}
    assert len(known) >= 20, known
