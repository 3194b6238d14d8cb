"""New clients, clients that go, and migrations of their schemas, as the one list of long work shows and steers them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from kernel import clock, work
from kernel.actor import Actor
from kernel.errors import Conflict, NotFound
from kernel.ids import public_id
from kernel.work import Item, Place, Steer, Work
from tenants.tenancy import actions, queries, registry
from tenants.tenancy.actions import calling_off, deleting
from tenants.tenancy.enums import DeletionState, FleetStep, JobState
from tenants.tenancy.models import Deletion, ProvisioningJob

_JOBS: Final[Mapping[str, str]] = {
    JobState.PENDING: work.PENDING,
    JobState.RUNNING: work.RUNNING,
    JobState.DONE: work.DONE,
    JobState.FAILED: work.FAILED,
    JobState.ROLLED_BACK: work.CANCELLED,
}
_LEAVING: Final[Mapping[str, str]] = {
    DeletionState.HELD: work.PENDING,
    DeletionState.CANCELLED: work.CANCELLED,
    DeletionState.DONE: work.DONE,
}


class Provisioning:
    """The making of a partner's clients."""

    prefix: str = "job"
    place: Place = "partner"
    reads: str = "tenancy.read"
    steers: str = "tenancy.provision"

    def newest(self, where: UUID, *, before: datetime | None, limit: int) -> Sequence[Work]:
        """The last asked for first."""
        return [_making(job) for job in queries.provisioning_of(where, before=before)[:limit]]

    def one(self, where: UUID, key: UUID) -> Work | None:
        """One of them."""
        job = queries.provisioning_of(where).filter(pk=key).first()
        return _making(job) if job else None

    def items(self, where: UUID, key: UUID, *, after: int, limit: int) -> Sequence[Item]:
        """Its steps."""
        job = queries.provisioning_of(where).filter(pk=key).first()
        if job is None:
            return []
        found = [_step(job, place, step) for place, step in enumerate(registry.steps(), start=1)]
        return found[after : after + limit]

    def steer(self, where: UUID, key: UUID, *, how: Steer, reason: str, actor: Actor, now: datetime) -> None:
        """Try again at once, or take the half-made client back."""
        job = queries.provisioning_of(where).filter(pk=key).first()
        if job is None:
            raise NotFound
        if how == "continue":
            actions.retry_provisioning(job=job, actor=actor, now=now)
        elif how == "cancel":
            calling_off.cancel_provisioning(job=job, reason=reason, actor=actor, now=now)
        else:
            raise Conflict("this work cannot be paused")


def _making(job: ProvisioningJob) -> Work:
    steps = registry.steps()
    stuck = job.state in (JobState.PENDING, JobState.RUNNING) and (
        bool(job.error) or job.lease_until is None or job.lease_until < clock.now()
    )
    return Work(
        id=job.public_id,
        title=_("Set up %(name)s") % {"name": job.tenant.name},
        who=job.created_by,
        state=_JOBS[job.state],
        began_at=job.created_at,
        over_at=job.finished_at,
        total=len(steps),
        done=sum((job.step(step.name) or {}).get("state") == "done" for step in steps),
        trouble=1 if job.error else 0,
        said=job.error,
        takes=("continue", "cancel") if stuck else (),
    )


def _step(job: ProvisioningJob, place: int, step: registry.Step) -> Item:
    noted: dict[str, Any] = job.step(step.name) or {}
    at = clock.parse_rfc3339(noted["at"]) if noted.get("at") else None
    return Item(place, step.title, noted.get("state", work.PENDING), noted.get("detail", ""), at)


class Deletions:
    """The end of a partner's clients; until the wait is over it can be called off."""

    prefix: str = "del"
    place: Place = "partner"
    reads: str = "tenancy.read"
    steers: str = "tenancy.delete"

    def newest(self, where: UUID, *, before: datetime | None, limit: int) -> Sequence[Work]:
        """The last asked for first."""
        rows = Deletion.objects.filter(partner_id=where)
        return [_leaving(row) for row in (rows.filter(asked_at__lt=before) if before else rows)[:limit]]

    def one(self, where: UUID, key: UUID) -> Work | None:
        """One of them."""
        row = Deletion.objects.filter(partner_id=where, pk=key).first()
        return _leaving(row) if row else None

    def items(self, where: UUID, key: UUID, *, after: int, limit: int) -> Sequence[Item]:
        """The wait, and the deletion."""
        row = Deletion.objects.filter(partner_id=where, pk=key).first()
        if row is None:
            return []
        kept = row.state == DeletionState.CANCELLED
        over = work.SKIPPED if kept else work.DONE if row.done_at else work.PENDING
        waited = work.RUNNING if row.state == DeletionState.HELD else work.SKIPPED if kept else work.DONE
        found = [
            Item(1, _("Wait, so that it can be taken back"), waited, "", row.due_at),
            Item(2, _("Delete everything and sign the certificate"), over, "", row.done_at),
        ]
        return found[after : after + limit]

    def steer(self, where: UUID, key: UUID, *, how: Steer, reason: str, actor: Actor, now: datetime) -> None:
        """Keep the client after all."""
        row = Deletion.objects.filter(partner_id=where, pk=key).first()
        tenant = queries.tenant_of(where, row.subject_id) if row else None
        if how != "cancel" or tenant is None:
            raise Conflict("it is not to be deleted")
        deleting.cancel_deletion(tenant=tenant, reason=reason, actor=actor, now=now)


def _leaving(row: Deletion) -> Work:
    held = row.state == DeletionState.HELD
    return Work(
        id=row.public_id,
        title=_("Delete %(name)s") % {"name": row.name},
        who=row.asked_by,
        state=_LEAVING[row.state],
        began_at=row.asked_at,
        over_at=row.done_at,
        total=2,
        done=2 if row.state == DeletionState.DONE else 0,
        said=row.reason,
        takes=("cancel",) if held else (),
    )


class Migrations:
    """The last migration of the schemas of a partner's clients, which the platform does: to be looked at only."""

    prefix: str = "mig"
    place: Place = "partner"
    reads: str = "tenancy.read"
    steers: str = "platform.partners"

    def newest(self, where: UUID, *, before: datetime | None, limit: int) -> Sequence[Work]:
        """One, where a client was ever migrated."""
        found = self.one(where, where)
        return [found] if found and (before is None or found.began_at < before) else []

    def one(self, where: UUID, key: UUID) -> Work | None:
        """It, as the sum over the clients."""
        rows = [row for row in queries.fleet_of(where) if row.step] if key == where else []
        if not rows:
            return None
        failed = sum(row.step == FleetStep.FAILED for row in rows)
        times = [row.at for row in rows if row.at]
        return Work(
            id=public_id(self.prefix, where),
            title=_("Upgrade the databases of the clients"),
            who=_("the platform"),
            state=work.FAILED if failed else work.DONE,
            began_at=min(times),
            over_at=None if failed else max(times),
            total=len(rows),
            done=len(rows) - failed,
            trouble=failed,
        )

    def items(self, where: UUID, key: UUID, *, after: int, limit: int) -> Sequence[Item]:
        """Client by client; those that failed first."""
        rows = [row for row in queries.fleet_of(where) if row.step] if key == where else []
        rows.sort(key=lambda row: (row.step != FleetStep.FAILED, row.tenant.name))
        found = [
            Item(
                place,
                row.tenant.name,
                work.FAILED if row.step == FleetStep.FAILED else work.DONE,
                row.error or row.reason,
                row.at,
            )
            for place, row in enumerate(rows, start=1)
        ]
        return found[after : after + limit]

    def steer(self, where: UUID, key: UUID, *, how: Steer, reason: str, actor: Actor, now: datetime) -> None:
        """Nobody but the platform's own people steers it, and they do so by command."""
        raise Conflict("only the platform steers this")
