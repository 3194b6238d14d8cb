"""Passwords that everybody knows are refused, offline."""

import hashlib
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from tenants.accounts.policy import KnownPasswordValidator


@pytest.mark.parametrize(
    "known",
    [
        "password123",
        "Password123!",
        "p@ssw0rd2026",
        "iloveyou2024",
        "dragondragon",
        "1234567890",
        "abcdefghijkl",
        "aaaaaaaaaaaa",
        "121212121212",
    ],
)
def test_what_stands_in_every_list_is_refused(known: str) -> None:
    with pytest.raises(ValidationError):
        KnownPasswordValidator().validate(known)


@pytest.mark.parametrize(
    "good", ["a long pass phrase of the cast", "correct staple under rain", "Jx7-kolibri-Tau"]
)
def test_a_sentence_is_fine(good: str) -> None:
    KnownPasswordValidator().validate(good)


def test_a_breach_list_is_looked_up_in_a_file(tmp_path: Path) -> None:
    words = [f"quiet meadow {number}" for number in range(3_000)]
    hashes = sorted(hashlib.sha1(word.encode()).hexdigest().upper() for word in words)
    path = tmp_path / "breached.txt"
    path.write_text("".join(f"{one}:{number % 900 + 1}\n" for number, one in enumerate(hashes)))
    checks = KnownPasswordValidator(str(path))
    for word in words:
        with pytest.raises(ValidationError):
            checks.validate(word)
    for number in range(3_000, 3_300):
        checks.validate(f"quiet meadow {number}")
