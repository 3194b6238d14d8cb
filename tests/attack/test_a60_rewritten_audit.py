"""A60: whoever owns the database edits, deletes, inserts, reorders, truncates, forks or replays the audit.

It is found with the export, the public key and the last checkpoint alone. `make audit-mutate N=1000` does the same
a thousand times; tests/tenants/audit/test_sealing.py does it with SQL in a database.
"""

from bench.audit_mutations import MUTATORS, mutate


def test_every_kind_of_change_is_found_and_its_place_named() -> None:
    outcome = mutate(10 * len(MUTATORS), events=160, seed=60)
    assert outcome.missed == []
    assert outcome.found == outcome.mutations == 10 * len(MUTATORS)
    assert outcome.named >= outcome.mutations // 2
    assert len(outcome.kinds) == len(MUTATORS)


def test_nothing_is_found_where_nothing_was_changed() -> None:
    from bench import audit_mutations as log
    from kernel import proof

    for events in (1, 2, 49, 50, 51, 333):
        made = log.sealed(events, seed=events)
        report = proof.verify(log.lines(made.entries), made.keys, heads=made.heads, complete=True)
        assert (report.ok, report.findings, report.events) == (True, [], events)
