"""Doing a small task of a store: less than deciding cases, and once, however often its answer arrives."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from automations.inbox import queries
from automations.inbox.actions.deciding import decide_case
from automations.inbox.enums import Decide
from automations.inbox.errors import CaseAlreadyDecided, CaseClosed
from kernel.actor import Actor


def do_task(*, case_id: UUID, value: Any, actor: Actor, now: datetime) -> bool:
    """Answer a task; False where the same person has done so before, which a bad network may not know.

    Raises CaseUnknown for what is no task, CaseClosed and CaseAlreadyDecided where somebody else was first, and
    NotDecidable for an answer that does not fit.
    """
    actor.require("tasks.do")
    queries.store_task(case_id, now=now)
    may = replace(actor, permissions=actor.permissions | {"inbox.decide"})
    try:
        decide_case(case_id=case_id, decision=Decide.RESOLVE, value=value, actor=may, now=now)
    except (CaseClosed, CaseAlreadyDecided):
        if queries.done_by(case_id, actor.id):
            return False
        raise
    return True
