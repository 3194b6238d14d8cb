"""The command for decision tables: from a file to the version in force, and what it says when something is wrong."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

TABLE = """
inputs: [amount]
outputs: [auto]
rules: [{when: ['<= 50'], then: [true]}]
otherwise: {auto: false}
tests: [{input: {amount: 50}, expect: {auto: true}}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "table.yaml"
    found.write_text(TABLE)
    return found


def run(tenant: Any, *words: Any) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("decision_table", tenant.slug, *[str(word) for word in words], stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_from_a_file_to_the_version_in_force_and_back(tenant, now, file):
    assert run(tenant, "try", file, '{"amount": 40}') == [{"output": {"auto": True}, "rules": [1]}]
    assert run(tenant, "list") == []
    (first,) = run(tenant, "publish", "refund", file, "--title", "Refunds")
    assert first["version"] == 1
    file.write_text(TABLE.replace("50", "80"))
    (second,) = run(
        tenant, "publish", "refund", file, "--effective-from", "2031-01-06T00:00:00Z", "--reason", "agreed"
    )
    assert second == {"name": "refund", "version": 2, "effective_from": "2031-01-06T00:00:00Z"}
    assert run(tenant, "list") == [
        {"name": "refund", "title": "Refunds", "version": 1, "coming": {"2": "2031-01-06T00:00:00Z"}}
    ]
    run(tenant, "withdraw", "refund", 2)
    assert run(tenant, "list")[0]["coming"] == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("withdraw", "refund", 9), "no version 9"),
        (("publish", "refund", "/nowhere.yaml"), "cannot be read"),
        (("try", "FILE", '{"amount": "x"}'), "cannot be compared"),
        (("publish", "refund", "FILE", "--effective-from", "2001-01-01T00:00:00Z"), "later time"),
    ],
)
def test_what_is_wrong_is_said(tenant, now, file, words, said):
    with pytest.raises(CommandError) as error:
        run(tenant, *[file if word == "FILE" else word for word in words])
    assert said in str(error.value)


def test_a_table_whose_test_fails_says_which(tenant, now, file):
    file.write_text(TABLE.replace("expect: {auto: true}", "expect: {auto: false}"))
    with pytest.raises(CommandError, match="/tests/0"):
        run(tenant, "publish", "refund", file)
