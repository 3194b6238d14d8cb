"""Calling the making of a client off before it is made."""

from datetime import datetime

from django.db import transaction

from kernel import secrets
from kernel.actor import Actor
from kernel.errors import Conflict
from tenants.audit.actions import record
from tenants.tenancy import queries
from tenants.tenancy.actions import roll_back
from tenants.tenancy.enums import JobState
from tenants.tenancy.models import ProvisioningJob


def cancel_provisioning(*, job: ProvisioningJob, reason: str, actor: Actor, now: datetime) -> ProvisioningJob:
    """Take a client back that is not made yet. Raises Conflict for one that is, and while a step is under way."""
    actor.require("tenancy.provision")
    with transaction.atomic():
        job = ProvisioningJob.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=job.pk)
        if job.state in (JobState.DONE, JobState.ROLLED_BACK):
            raise Conflict("this job is over")
        if job.lease_until and job.lease_until >= now and not job.error:
            raise Conflict("this job is being worked on")
        record(
            actor=actor,
            action="tenancy.cancel_provisioning",
            obj=job.tenant,
            now=now,
            before={"state": job.state, "error": job.error},
            reason=reason,
            partner_id=job.tenant.partner_id,
        )
        job.error = secrets.redact(f"called off: {reason}" if reason else "called off")[:2_000]
        roll_back(job=job, now=now, by=actor)
    queries.forget_hosts()
    return job
