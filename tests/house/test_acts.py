"""Every act leaves its trace: an audit row in the transaction of the act, so that neither is ever there alone."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from django.db import connection

from portal.env import ROOT
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tests.house.acts import WITH, WITHIN, Stage, acts, prepared, public
from tests.house.asking import fingerprint, undone
from tests.house.ground import Ground
from tests.support.cast import NOW

NAMES: Final = sorted(acts().keys() - WITHIN.keys())
WITHOUT_A_TRACE: Final = {
    "tenants.access.actions.sign_in": "nobody acts yet; refused and granted attempts stand in the log",
    "tenants.accounts.actions.crossing.issue": "a pass between two sessions of one person; lives a minute",
    "tenants.accounts.actions.crossing.redeem": "the other half of it; the session that begins leaves the trace",
    "tenants.accounts.actions.visits.seen": "when a session was used last",
    "tenants.accounts.actions.visits.moved": "a session under another key, after its person changed the password",
    "tenants.accounts.actions.visits.left": "somebody signs out of their own session",
    "tenants.accounts.actions.braking.count": "wrong guesses, by hashes of what is guessed; kept for an hour",
    "tenants.accounts.actions.braking.forget": "a right guess after wrong ones",
    "tenants.accounts.actions.factors.show": "a code is used up; the session that begins leaves the trace",
    "tenants.accounts.actions.factors.start_afresh": "part of accepting an invitation, which is written down",
    "tenants.accounts.actions.passkeys.show": "a counter goes on; the session that begins leaves the trace",
    "tenants.accounts.actions.sign_on.complete": "leaves its trace where it makes or links somebody",
    "tenants.accounts.actions.saml.take": "what a provider answered waits a minute; the session leaves the trace",
    "tenants.accounts.actions.saml.complete": "leaves its trace where it makes or links somebody",
    "tenants.accounts.actions.links.ask": "nobody acts yet; a mail goes out",
    "tenants.accounts.actions.links.claim": "the mail is about to go out",
    "tenants.accounts.actions.links.not_sent": "the mail did not go out",
    "tenants.accounts.actions.links.redeem": "a link is used up; the session that begins leaves the trace",
    "automations.insights.actions.unit": "a store as a row, for the scope that names it in its own trace",
    "tenants.access.actions.answered": "reads an answer that was kept",
    "tenants.access.actions.keep_answer": "keeps the answer to an act that left its own trace",
    "tenants.access.actions.inviting.accept": "whoever holds the link is the actor, and is written down as it",
    "tenants.access.actions.inviting.claim": "a mail is about to go out; the invitation has left its trace",
    "tenants.access.actions.inviting.sent": "the mail is out",
    "automations.notices.actions.telling.mark_read": "somebody saw what they were told; nothing else changes",
    "automations.notices.actions.answering.issue_pass": "a link in a mail; who uses it leaves the trace",
    "automations.notices.actions.sending.claim": "a message is about to go out; its cause has left its trace",
    "automations.notices.actions.sending.sent": "the message is out",
    "automations.notices.actions.sending.failed": "the message is not out",
    "automations.notices.actions.sending.mailed": "the mail is out",
    "automations.notices.actions.sending.deliver": "sends what its cause made",
    "automations.events.actions.deliveries.receive_webhook": "a system delivers: the event itself is the trace",
}
"""What doors may call that takes no actor and writes, each with the reason."""


class Stopped(Exception):
    """The transaction ends here."""


def test_every_act_is_tried_here() -> None:
    for name in NAMES:
        assert name in WITH, f"{name} takes an actor: say in WITH (tests/house/acts.py) what it is done with"
    assert set(WITH) <= set(acts()), "these acts are gone"
    assert set(WITHIN) <= set(public())
    assert len(NAMES) >= 45


def trail(ground: Ground) -> set[Any]:
    """The keys of all audit rows of the platform and of Hollis."""
    with context.leave():
        found = set(AuditEvent.objects.values_list("id", flat=True))
    with context.enter(ground.cast.tenant):
        return found | set(AuditEvent.objects.values_list("id", flat=True))


def rows(ground: Ground, keys: set[Any]) -> Iterator[AuditEvent]:
    with context.leave():
        yield from list(AuditEvent.objects.filter(pk__in=keys))
    with context.enter(ground.cast.tenant):
        yield from list(AuditEvent.objects.filter(pk__in=keys))


@pytest.mark.parametrize("name", NAMES)
def test_an_act_is_written_down_with_who_did_it(name: str, ground: Ground, db: None, now: Any) -> None:
    stage = Stage(ground)
    do = prepared(name, stage)
    before, content = trail(ground), fingerprint()
    do()
    written = list(rows(ground, trail(ground) - before))
    assert written, f"{name} left no audit row"
    assert fingerprint() != content
    for row in written:
        assert (row.actor_kind, row.actor_id, row.actor_label) == ("user", stage.actor.id, stage.actor.label)
        assert (row.request_id, row.at) == ("request-of-rosa", NOW)
        assert row.object_id
        assert row.object_label or row.object_type
        room, _, verb = row.action.partition(".")
        assert verb
        assert room in {*(part for part in name.split(".")), "templates", "engine", "access"}


def stopping(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Let the audit row be written, and then let something go wrong."""
    result = execute(sql, params, many, context)
    if str(sql).lower().lstrip().startswith('insert into "audit_auditevent"'):
        raise Stopped
    return result


@pytest.mark.parametrize("name", NAMES)
def test_an_act_and_its_trace_stand_or_fall_together(name: str, ground: Ground, db: None, now: Any) -> None:
    do = prepared(name, Stage(ground))
    before = fingerprint()
    with connection.execute_wrapper(stopping), pytest.raises(Stopped):
        do()
    after = fingerprint()
    assert {table for table in after if after[table] != before.get(table)} == set()


def test_the_test_sees_an_act_that_leaves_something_behind(ground: Ground, db: None, now: Any) -> None:
    with undone():
        before = fingerprint()
        with connection.execute_wrapper(stopping), pytest.raises(Stopped):
            _without_a_transaction(ground)
        assert fingerprint() != before


def _without_a_transaction(ground: Ground) -> None:
    from tenants.access import actions
    from tenants.access.models import User

    User.objects.filter(pk=ground.cast.analyst.pk).update(name="Somebody")
    actions.set_active(user=ground.cast.analyst, active=False, reason="", actor=Stage(ground).actor, now=NOW)


def called_by_doors() -> Iterator[tuple[str, str]]:
    """(where, full name) of each function of a room's `actions` that a door names."""
    for folder in ("ui", "api", "admin"):
        for path in sorted((ROOT / "portal" / folder).rglob("*.py")):
            yield from _named(path)
    yield from _named(ROOT / "portal" / "hooks.py")


def _named(path: Path) -> Iterator[tuple[str, str]]:
    tree = ast.parse(path.read_text())
    modules: dict[str, Any] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        for name in node.names:
            whole = f"{node.module}.{name.name}"
            if ".actions" not in f"{whole}.":
                continue
            try:
                modules[name.asname or name.name] = importlib.import_module(whole)
            except ImportError:
                yield str(path), _home(getattr(importlib.import_module(node.module), name.name))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield str(path), _home(getattr(modules[node.value.id], node.attr))


def _home(found: Any) -> str:
    return f"{getattr(found, '__module__', '')}.{getattr(found, '__name__', '')}"


def test_doors_change_nothing_but_by_acts_that_leave_a_trace(
    ground: Ground, db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a door calls takes an actor, or only reads, or is named above with its reason."""
    known, found = public(), set(called_by_doors())
    writers = {
        (where, name)
        for where, name in found
        if name in known and name not in acts() and _writes(known[name])
    }
    without = {(where, name) for where, name in writers if name not in WITHOUT_A_TRACE}
    assert without == set(), "let it take an actor and record what was done, or name it in WITHOUT_A_TRACE"
    assert set(WITHOUT_A_TRACE) <= {name for _, name in found}, "no door calls these any more"
    assert len(found) >= 40


def _writes(does: Any) -> bool:
    """Whether the text of a function names what writes: `save`, `create`, `update`, `delete`, SQL, or a transaction."""
    import inspect

    names = {
        node.attr
        for node in ast.walk(ast.parse(inspect.getsource(does).strip()))
        if isinstance(node, ast.Attribute)
    }
    return bool(
        names & {"save", "create", "update", "delete", "bulk_create", "execute", "atomic", "get_or_create"}
    )
