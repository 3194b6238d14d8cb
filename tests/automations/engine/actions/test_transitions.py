"""A run's status follows the table of pairs, whoever writes it: also by SQL past all of our code."""

from itertools import product

import pytest
from django.db import IntegrityError, connection, transaction

from automations.engine.enums import LEGAL, TERMINAL, RunStatus
from automations.engine.models import Run
from kernel import clock, ids, jsonx
from tenants.tenancy.queries import TenantRef

PAIRS = list(product(RunStatus, repeat=2))


def run_in(status: str) -> Run:
    return Run.objects.create(
        workflow_id=ids.uuid7(),
        definition_id=ids.uuid7(),
        status=status,
        input=jsonx.pack({}),
        started_at=clock.now(),
    )


def written(run: Run, status: str) -> str:
    """Write a status past all of our code; what the database said against it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("update engine_run set status = %s where id = %s", [status, run.pk])
    except IntegrityError as error:
        return str(error)
    return ""


def test_every_pair_is_legal_or_refused_by_the_database(tenant: TenantRef) -> None:
    refused, taken = set(), set()
    for before, after in PAIRS:
        run = run_in(before)
        said = written(run, after)
        run.refresh_from_db()
        if not said:
            assert run.status == after
            taken.add((before, after))
        else:
            assert f"is {before} and cannot become {after}" in said
            assert run.status == before
            refused.add((before, after))
    legal = {(before, after) for before, after in PAIRS if before == after or after in LEGAL[before]}
    assert taken == legal
    assert len(refused) == 49 - 7 - 18


def test_the_table_says_something_about_every_status() -> None:
    assert set(LEGAL) == set(RunStatus)
    assert {status for status, after in LEGAL.items() if not after} == TERMINAL
    assert not any(RunStatus.PENDING in after for after in LEGAL.values())


def test_a_word_that_is_no_status_is_refused(tenant: TenantRef) -> None:
    with pytest.raises(IntegrityError, match="run_status_known"), transaction.atomic():
        run_in("asleep")
