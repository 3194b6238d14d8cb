"""One colour makes a palette that everybody can read."""

import random

import pytest

from tenants.branding.palette import checks, contrast, from_oklch, is_colour, palette, to_oklch


def test_three_thousand_random_colours_pass_all_eleven_checks() -> None:
    source = random.Random(2026)
    for _turn in range(3_000):
        colour = f"#{source.randrange(1 << 24):06x}"
        found = checks(palette(colour))
        assert len(found) == 11
        assert [check for check in found if not check.passes] == [], colour


@pytest.mark.parametrize(
    "colour", ["#000000", "#ffffff", "#ff0000", "#00ff00", "#0000ff", "#ffff00", "#808080"]
)
def test_corners_of_the_colour_space_pass(colour: str) -> None:
    assert all(check.passes for check in checks(palette(colour)))


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    assert palette("#5b5bd6").solid == "#5b5bd6"
    assert palette("#5b5bd6").on == "#ffffff"


def test_an_orange_stays_orange_and_is_written_on_in_ink() -> None:
    found = palette("#ff8a1f")
    assert found.solid == "#ff8a1f"
    assert found.on == "#0b0f17"
    assert contrast(found.edge, "#ffffff") >= 3


def test_the_way_to_oklch_and_back_loses_nothing() -> None:
    for colour in ("#5b5bd6", "#ffe600", "#123456", "#c0ffee"):
        assert from_oklch(*to_oklch(colour)) == colour


def test_the_ratio_is_the_one_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("text", ["5b5bd6", "#5B5BD6", "#5b5bd", "#5b5bd6;", "red", "", "#5b5bd6\n"])
def test_only_six_small_digits_are_a_colour(text: str) -> None:
    assert not is_colour(text)
