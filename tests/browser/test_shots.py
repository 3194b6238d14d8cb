"""The twenty main pages, each with something in it; `make shots` keeps a picture of each in docs/shots."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.env import ROOT
from tests.browser import views, work
from tests.browser.conftest import Visit
from tests.support.cast import Cast

CONSOLE = {
    "fleet": "/clients/",
    "new-client": "/clients/new/business/",
    "library": "/templates/",
    "branding": "/branding/",
    "domains": "/branding/domains/",
    "usage": "/usage/",
}
TENANT = {
    "overview": "/overview/?period=all",
    "inbox": "/inbox/",
    "runs": "/runs/",
    "workflows": "/workflows/",
    "orders": "/orders/",
    "events": "/events/",
    "connections": "/connections/",
    "webhooks": "/endpoints/",
    "notifications": "/notifications/",
    "people": "/people/",
    "audit": "/audit/",
    "settings": "/settings/",
}


@pytest.mark.timeout(240)
def test_the_main_pages_stand_and_have_their_picture(cast: Cast, visit: Callable[..., Visit]) -> None:
    folder = Path(os.environ.get("SHOTS", ""))
    addresses = [*work.pages(cast), *views.pages(cast)]
    run = next(path for path in addresses if path.startswith("/runs/run_"))
    seen = {
        "console": visit(cast.partner_admin, cast.partner_host),
        "tenant": visit(cast.owner, cast.host),
        "nobody": visit(None, cast.host),
        "phone": visit(cast.owner, cast.host, width=390),
    }
    wanted = [("nobody", "sign-in", "/sign-in"), ("phone", "inbox-phone", "/inbox/"), ("tenant", "run", run)]
    wanted += [("console", name, path) for name, path in CONSOLE.items()]
    wanted += [("tenant", name, path) for name, path in TENANT.items()]
    assert len(wanted) >= 20
    for who, name, path in wanted:
        one = seen[who]
        assert one.go(path).status == 200, path
        assert one.complaints == [], path
        if folder.name:
            (ROOT / folder).mkdir(parents=True, exist_ok=True)
            one.page.screenshot(path=ROOT / folder / f"{name}.jpg", type="jpeg", quality=55)
    kept = {path.stem for path in (ROOT / "docs" / "shots").glob("*.jpg")}
    assert {name for _who, name, _path in wanted} <= kept, "make shots"
