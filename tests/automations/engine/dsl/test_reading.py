"""From text to a document: what is read as it stands, and what is refused before anything is built from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.engine.dsl import durations
from automations.engine.dsl.document import read
from automations.engine.errors import DefinitionRefused


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a: &x 1\nb: *x", "yaml"),
        ("a: &x 1", "yaml"),
        ("a: !!python/object:os.system x", "yaml"),
        ("a: !thing x", "yaml"),
        ("a: 1\na: 2", "duplicate-key"),
        ("a: {b: 1, b: 2}", "duplicate-key"),
        ("a: [1, 2", "yaml"),
        ("- a\n- b", "yaml"),
        ("", "yaml"),
        ("just text", "yaml"),
        ("[" * 200 + "]" * 200, "yaml"),
        ("a: " + "{b: " * 130 + "1" + "}" * 130, "yaml"),
        ("a: " + "x" * (512 * 1024), "size"),
    ],
)
def test_what_is_refused(text, rule):
    with pytest.raises(DefinitionRefused) as refused:
        read(text)
    assert [finding.rule for finding in refused.value.findings] == [rule]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 12345678901234567890", 12345678901234567890),
        ("a: 2026-03-02", "2026-03-02"),
        ("a: no", "no"),
        ("a: 0o10", 8),
        ("a: '1'", "1"),
        ("a: ~", None),
        ("1: x", None),
        ('{"a": [1, 2.5, true, "ü"]}', [1, 2.5, True, "ü"]),
    ],
)
def test_values_are_plain(text, value):
    found = read(text)
    assert next(iter(found)) in ("a", "1")
    assert found.get("a") == value
    assert all(isinstance(key, str) for key in found)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ({"minutes": 5}, 300),
        ({"days": 1, "hours": 2, "milliseconds": 500}, 93_600.5),
        ("PT5M", 300),
        ("P2D", 172_800),
        ("P1W", 604_800),
        ("P1DT1H1M1.5S", 90_061.5),
        ("PT0S", 0),
        ({"seconds": 0.25}, 0.25),
    ],
)
def test_durations(value, seconds):
    assert durations.seconds(value) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "P",
        "PT",
        "P1Y",
        "P1M",
        "5m",
        "PT-5M",
        "P1DT",
        {},
        {"minute": 1},
        {"minutes": -1},
        {"minutes": True},
        {"minutes": "5"},
        5,
        None,
        [],
        {"days": 367},
        "P400D",
    ],
)
def test_what_is_no_duration_says_why(value):
    with pytest.raises(ValueError, match=r"duration|unit|must be"):
        durations.seconds(value)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            unit: st.integers(0, 50) for unit in ("days", "hours", "minutes", "seconds", "milliseconds")
        },
    ).filter(bool)
)
def test_a_mapping_and_its_text_have_one_length(units):
    seconds = units.get("seconds", 0) + units.get("milliseconds", 0) / 1000
    text = f"P{units.get('days', 0)}DT{units.get('hours', 0)}H{units.get('minutes', 0)}M{seconds:.3f}S"
    assert durations.seconds(text) == pytest.approx(durations.seconds(units))
