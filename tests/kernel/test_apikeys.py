"""What an API token looks like."""

import random
import re
import string

import pytest

from kernel import apikeys, logs, secrets


def test_a_token_has_a_prefix_random_bits_and_a_checksum() -> None:
    made = {apikeys.new() for _ in range(500)}
    assert len(made) == 500
    for text in made:
        assert re.fullmatch(r"pat_[0-9A-Za-z]{49}", text)
        assert apikeys.is_one(text)
        assert not apikeys.mistyped(text)


def test_one_changed_letter_is_seen() -> None:
    luck, seen = random.Random(7), 0
    for _ in range(2_000):
        text = apikeys.new()
        place = luck.randrange(len(apikeys.PREFIX), len(text))
        other = luck.choice((string.digits + string.ascii_letters).replace(text[place], ""))
        changed = text[:place] + other + text[place + 1 :]
        assert not apikeys.is_one(changed)
        seen += apikeys.mistyped(changed)
    assert seen == 2_000


@pytest.mark.parametrize("before", ["", "token=", "Bearer ", "'", "https://x.example/?a=", "\n"])
@pytest.mark.parametrize("after", ["", "&b=1", "'", "\n", " and more", ","])
def test_a_lost_one_is_found_in_any_text(before: str, after: str) -> None:
    text = apikeys.new()
    assert list(apikeys.found_in(f"x {before}{text}{after} y")) == [text]
    assert text not in apikeys.hidden(f"{before}{text}{after}")


def test_words_that_look_alike_are_not_taken_for_tokens() -> None:
    alike = f"pat_{'a' * 49} pat_short compat_{apikeys.new()[4:]} pat_"
    assert list(apikeys.found_in(alike)) == []


def test_neither_the_log_nor_anything_that_is_redacted_holds_one() -> None:
    text = apikeys.new()
    before_checksums = "pat_" + "a-_Z" * 10 + "xyz"
    for lost in (text, before_checksums):
        assert lost not in secrets.redact(f"GET /?token={lost} HTTP/1.1")
        line = logs._defused(None, "", {"event": f"refused {lost}", "header": f"Bearer {lost}"})
        assert lost not in str(line)
        assert "pat_…" in str(line)
