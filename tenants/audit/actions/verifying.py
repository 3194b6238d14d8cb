"""Verifying the log as it stands in the database, by the same code that auditors run on an export."""

from datetime import datetime
from typing import Final

import structlog
from django.conf import settings
from django.db import transaction

from kernel import proof
from kernel.actor import Actor, system
from tenants.audit import store
from tenants.audit.actions.exporting import whole
from tenants.audit.actions.recording import record
from tenants.audit.actions.sealing import verifying_keys
from tenants.audit.models import AuditCheck

log = structlog.get_logger(__name__)
_SHOWN: Final = 20


def verify_log(*, actor: Actor, now: datetime) -> AuditCheck:
    """Work out every leaf and every checkpoint of the present log anew, and keep what was found.

    A log that verified before and does not now is told of by an event of its own and an error in the logs.
    Raises NoAuditKey.
    """
    actor.require("audit.read")
    report = _report()
    before = AuditCheck.objects.order_by("-at", "-id").first()
    with transaction.atomic():
        check = AuditCheck.objects.create(
            at=now,
            size=report.size,
            ok=report.ok,
            first_bad=report.first_bad,
            findings=report.findings[:_SHOWN],
            seconds=report.seconds,
            asked_by=actor.label[:200],
        )
        if not report.ok and (before is None or before.ok):
            record(
                actor=system("audit"),
                action="audit.check_failed",
                obj=check,
                now=now,
                after={"first_bad": report.first_bad, "findings": report.findings[:_SHOWN]},
            )
    if not report.ok:
        log.error("the audit log is not as it was sealed", first_bad=report.first_bad, log=report.origin)
    return check


def _report() -> proof.Report:
    schema, point = store.schema(), store.last_checkpoint()
    keys = verifying_keys(schema)
    if point is None:
        report = proof.Report()
        if store.size() or witnessed(schema):
            report.found(0, "there is no checkpoint over the events that were sealed")
        return report
    head = witnessed(schema)
    heads = [proof.read_note(head, keys)] if head else []
    report = proof.verify(whole(point), keys, heads=heads, complete=True)
    if store.size() != point.size:
        report.found(point.size, f"{store.size()} events are sealed, {point.size} are under a checkpoint")
    if outside := store.outside(schema):
        report.found(report.size, f"{outside} events came in past the seal")
    return report


def witnessed(schema: str) -> str:
    """The newest checkpoint of a log that was kept outside the database; empty where there is none."""
    try:
        return (settings.AUDIT_HEADS / f"{schema}.txt").read_text()
    except OSError:
        return ""
