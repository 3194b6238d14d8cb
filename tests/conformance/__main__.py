"""Print how the engine does on the standard's conformance kit, and the profile by feature; 1 if anything failed."""

import sys

from tests.conformance import site as the_site
from tests.conformance.dying import Mortal
from tests.conformance.judging import compiled, problems
from tests.conformance.kit import HOME, Scenario, scenarios
from tests.conformance.profile import REFUSED, TAKEN, judge
from tests.conformance.site import Site


def main() -> int:
    """Run everything; the number of things that failed decides."""
    failed = _kit() + _profile()
    return 1 if failed else 0


def _kit() -> int:
    found = scenarios()
    if not found:
        print(f"The conformance kit is not at {HOME}: no scenario was run.\n")
        return 0
    print(f"{'':4} {'feature':10} {'scenario':44} {'dies at':>8} of")
    bad = 0
    with the_site.running() as site:
        for scenario in found:
            said, points, survived = _try(scenario, site)
            bad += bool(said)
            print(
                f"{'FAIL' if said else 'ok':4} {scenario.feature:10} {scenario.name:44} {survived:>8} {points}"
            )
            for line in said:
                print(f"     {line}")
    print(f"\n{len(found) - bad} passed, {bad} failed, of {len(found)} scenarios\n")
    return bad


def _try(scenario: Scenario, site: Site) -> tuple[list[str], int, int]:
    """What is wrong, how many yield points there are, and at how many a death changed nothing."""
    program = compiled(scenario, site)
    straight = Mortal(program, scenario.given, site)
    wanted = straight.live()
    said, survived = problems(scenario, wanted), 0
    for point in range(straight.points):
        if Mortal(program, scenario.given, site, frozenset({point})).live() == wanted:
            survived += 1
        else:
            said.append(f"a death at yield point {point} changes the result")
    return said, straight.points, survived


def _profile() -> int:
    print(f"{'':4} {'feature of the language':42} profile")
    bad = 0
    for feature, sample in TAKEN.items():
        verdict = judge(sample)
        bad += bool(verdict.rules)
        print(f"{'FAIL' if verdict.rules else 'ok':4} {feature:42} runs {' '.join(verdict.sentences)}")
    for feature, (rule, sample) in REFUSED.items():
        verdict = judge(sample)
        wrong = verdict.rules != (rule,)
        bad += wrong
        print(f"{'FAIL' if wrong else 'ok':4} {feature:42} refused: {' '.join(verdict.sentences)}")
    print(f"\n{len(TAKEN)} features run, {len(REFUSED)} are refused, {bad} not as they should be")
    return bad


if __name__ == "__main__":
    sys.exit(main())
