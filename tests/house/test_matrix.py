"""The access matrix: every address of every kind of host, by every method, for everybody who may knock there.

All of it is made from the URL tables and the catalogue of roles: an address that is added is tested at once. What is
expected is worked out from the rule of the view and from who asks, by other code than the door's.
"""

from contextlib import nullcontext
from typing import Any, Final

import pytest
from django.test import Client
from django.urls import reverse

from portal.permissions import SAFE
from tenants.access import catalog
from tenants.tenancy import actions as tenancy
from tenants.tenancy import queries
from tenants.tenancy.enums import TenantState
from tenants.tenancy.models import Tenant
from tests.house import asking
from tests.house.asking import Answer, fingerprint, undone
from tests.house.cells import CELLS, OPEN, REFUSED, opened
from tests.house.ground import CALLERS, Caller, Ground
from tests.house.routes import ROUTES
from tests.house.world import BY
from tests.support.cast import NOW

pytestmark = pytest.mark.timeout(300)
FEWEST: Final = 500
ALL: Final = [cell for cells in CELLS.values() for cell in cells]
STRONG: Final = [caller for caller in CALLERS if caller.strong]


def test_every_address_says_who_may_use_it() -> None:
    """An address without a rule opens for nobody; here the build says so."""
    known = {*catalog.PERMISSIONS, *catalog.OPERATOR}
    for route in ROUTES:
        rule = route.rule
        assert rule is not None, (
            f"{route}: anybody gets 404 here, because nothing says who may. Mark the view with"
            f" @door(permission, post=…), or give the resource a `rule`."
        )
        assert rule.public or rule.signed_in or rule.methods, f"{route}: its rule lets nobody in"
        unknown = set(rule.methods.values()) - known
        assert not unknown, f"{route}: no role has {unknown}; add it to tenants/access/catalog.py"


def test_no_cell_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    """Each part of each address is known, so that each is asked; one that is not says what to do."""
    assert not (told := [route.unknown for route in ROUTES if route.unknown]), "\n".join(told)
    asked = {cell.route for cell in ALL}
    assert asked == set(ROUTES)
    assert len(ALL) >= FEWEST
    with capsys.disabled():
        shut = sum(cell.expected != OPEN for cell in ALL)
        print(
            f"\naccess matrix: {len(ROUTES)} addresses, {len(CALLERS)} callers, {len(ALL)} cells, {shut} shut"
        )


@pytest.mark.parametrize("caller", CALLERS, ids=str)
def test_who_may_not_is_refused_and_changes_nothing(
    caller: Caller, ground: Ground, db: None, now: Any
) -> None:
    """Shut cells: the right status, nothing written, nobody's objects told of."""
    browser, before = ground.knock(caller), fingerprint()
    wrong = []
    for cell in CELLS[caller]:
        if cell.expected == OPEN:
            continue
        # a session of elsewhere ends at its first use
        with undone() if caller.shows == "session of elsewhere" else nullcontext():
            answer = asking.ask(cell, ground, browser)
        fits = answer.status in ((403, 404) if cell.expected == REFUSED else (cell.expected,))
        leaks = answer.tells_of(ground.marks - (ground.seen(caller) if answer.status == 403 else set()))
        if not fits or answer.written or leaks:
            wrong.append(f"{cell}: {cell.expected} was expected; {answer}; leaks {leaks}")
    assert not wrong, "\n".join(wrong)
    assert fingerprint() == before


@pytest.mark.sweep
@pytest.mark.parametrize("caller", CALLERS, ids=str)
def test_who_may_gets_an_answer_that_tells_of_nobody_else(
    caller: Caller, ground: Ground, db: None, now: Any
) -> None:
    """Open cells, each undone: the view answers, reading writes nothing, foreign objects are not found."""
    browser, wrong = ground.knock(caller), []
    for cell in CELLS[caller]:
        if cell.expected != OPEN:
            continue
        with undone():
            answer = asking.ask(cell, ground, browser)
        leaks = answer.tells_of(ground.marks - ground.seen(caller))
        faults = [*opened(cell, answer), *([f"leaks {leaks}"] if leaks else [])]
        if faults:
            wrong.append(f"{cell}: {answer}: {'; '.join(faults)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("caller", "whose"), [(caller, whose) for caller in STRONG for whose in caller.foreign], ids=str
)
def test_foreign_ids_in_queries_and_bodies_find_nothing(
    caller: Caller, whose: str, ground: Ground, db: None, now: Any
) -> None:
    """Every parameter, member and form field that takes an id gets those of others; searches ask for their names."""
    browser, wrong, asked = ground.knock(caller), [], 0
    for cell in CELLS[caller]:
        if cell.expected != OPEN or cell.whose != "own":
            continue
        for answer in asking.with_ids_of(cell, whose, ground, browser):
            asked += 1
            leaks = answer.tells_of(ground.marks - ground.seen(caller))
            taken = answer.took(ground.keys(whose))
            if answer.status >= 500 or leaks or taken:
                wrong.append(f"{cell} with ids of {whose}: {answer}; leaks {leaks}; took {taken}")
    assert not wrong, "\n".join(wrong)
    assert asked >= 5


def _in_state(state: TenantState) -> None:
    queries.forget_hosts()
    tenancy.set_state(tenant=Tenant.objects.get(slug="hollis"), state=state, reason="", actor=BY, now=NOW)


@pytest.mark.parametrize("name", ["owner", "token", "partner_admin"])
def test_a_suspended_client_can_be_read_and_not_changed(
    name: str, ground: Ground, db: None, now: Any
) -> None:
    caller = next(one for one in CALLERS if (one.name, one.kind) == (name, "tenant"))
    browser = ground.knock(caller)
    _in_state(TenantState.SUSPENDED)
    before, wrong = fingerprint(), []
    for cell in CELLS[caller]:
        rule = cell.route.rule
        if cell.expected != OPEN or cell.method in SAFE or cell.whose != "own" or rule is None:
            continue
        if rule.read_only_exempt:
            continue
        answer = asking.ask(cell, ground, browser)
        if answer.status != 403 or answer.written:
            wrong.append(f"{cell}: {answer}")
    assert not wrong, "\n".join(wrong)
    assert fingerprint() == before


@pytest.mark.parametrize("name", ["owner", "token", "nobody"])
def test_an_archived_client_is_not_there(name: str, ground: Ground, db: None, now: Any) -> None:
    caller = next(one for one in CALLERS if (one.name, one.kind) == (name, "tenant"))
    browser = ground.knock(caller)
    _in_state(TenantState.SUSPENDED)
    _in_state(TenantState.ARCHIVED)
    for cell in CELLS[caller]:
        if cell.whose == "own":
            answer = asking.ask(cell, ground, browser)
            assert answer.status == 404, f"{cell}: {answer}"
            assert not answer.tells_of(ground.marks), str(cell)


def test_forwarded_names_of_hosts_are_not_listened_to(ground: Ground, db: None, now: Any) -> None:
    """The Host header alone says whose portal is asked for."""
    cast = ground.cast
    for header in ("X-Forwarded-Host", "X-Tenant", "X-Original-Host", "Forwarded"):
        browser = Client(HTTP_HOST=cast.other_host)
        answer = Answer(browser.get("/api/v1/runs", headers={header: cast.host, "Authorization": "Bearer x"}))
        assert answer.status == 401
        token = ground.tokens["token"]
        answer = Answer(
            browser.get("/api/v1/runs", headers={header: cast.host, "Authorization": f"Bearer {token}"})
        )
        assert answer.status == 401, header
    assert reverse("api:runs", "portal.urls_tenant") == "/api/v1/runs"


def test_the_matrix_sees_what_it_looks_for(ground: Ground, db: None, now: Any) -> None:
    """A door left open, a leak and a write are each noticed."""
    owner = next(caller for caller in CALLERS if caller.name == "owner" and caller.kind == "tenant")
    cells = {(cell.route.name, cell.method, cell.whose): cell for cell in CELLS[owner]}
    answer = asking.ask(cells["api:runs", "GET", "own"], ground, ground.knock(owner))
    assert answer.tells_of(ground.marks) == {"Zephyr"}
    assert opened(cells["api:run", "GET", "arbor"], answer)
    with undone():
        before = fingerprint()
        answer = asking.ask(cells["api:run-cancel", "POST", "own"], ground, ground.knock(owner))
        assert answer.written
        assert answer.took({ground.worlds["hollis"].keys["run"].id})
        assert fingerprint() != before
