"""The standard's own scenarios: each straight through, and with a process that dies at each yield point."""

from collections.abc import Iterator

import pytest

from automations.engine.machine.moves import Effect
from tests.conformance import site as the_site
from tests.conformance.dying import Mortal
from tests.conformance.judging import compiled, problems
from tests.conformance.kit import HOME, Scenario, scenarios
from tests.conformance.site import Site, UnknownHostError

SCENARIOS = scenarios()
here = pytest.mark.skipif(not SCENARIOS, reason=f"the conformance kit is not at {HOME}")
each = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: f"{one.feature}-{one.name}")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with the_site.running() as found:
        yield found


@here
def test_the_kit_is_whole():
    assert len(SCENARIOS) == 21


@here
@each
def test_a_scenario(scenario: Scenario, site: Site):
    mortal = Mortal(compiled(scenario, site), scenario.given, site)
    assert problems(scenario, mortal.live()) == []


@here
@each
def test_a_scenario_whose_process_dies(scenario: Scenario, site: Site):
    program = compiled(scenario, site)
    straight = Mortal(program, scenario.given, site)
    wanted = straight.live()
    assert straight.points > 0
    for point in range(straight.points):
        mortal = Mortal(program, scenario.given, site, frozenset({point}))
        assert (mortal.live(), mortal.died) == (wanted, 1), f"died at yield point {point}"
    again = Mortal(program, scenario.given, site, frozenset(range(0, 3 * straight.points, 2)))
    assert again.live() == wanted
    assert again.died > 1 or straight.points == 1


def test_a_host_outside_the_kit_is_a_failure(site: Site):
    request = {"method": "GET", "uri": "https://elsewhere.example/x", "headers": {}}
    with pytest.raises(UnknownHostError):
        site(Effect("0", "k", "/do/0/a", "http", request))
