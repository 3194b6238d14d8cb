"""The profile is what it is said to be: what it takes is taken, what it refuses is refused by its rule."""

import pytest

from tests.conformance.profile import REFUSED, TAKEN, judge


@pytest.mark.parametrize("feature", TAKEN)
def test_the_profile_takes(feature):
    assert judge(TAKEN[feature]).sentences == ()


@pytest.mark.parametrize("feature", REFUSED)
def test_the_profile_refuses(feature):
    rule, sample = REFUSED[feature]
    verdict = judge(sample)
    assert verdict.rules == (rule,)
    assert all(len(sentence) > 15 for sentence in verdict.sentences)
