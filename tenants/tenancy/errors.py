"""What can go wrong between a visitor and a tenant."""

from kernel.errors import Conflict, Forbidden, NotFound, PortalError, Unavailable


class NoTenant(PortalError):
    """Tenant data was asked for without a tenant."""

    code = "no_tenant"


class UnknownHost(NotFound):
    """No portal lives at this address."""

    code = "unknown_host"


class TenantSuspended(Forbidden):
    """This client is suspended."""

    code = "tenant_suspended"


class TenantNotReady(Unavailable):
    """This client is still being set up."""

    code = "tenant_not_ready"


class AddressTaken(Conflict):
    """This web address is taken."""

    code = "address_taken"


class NotAllGone(PortalError):
    """Something of a deleted client was left; nothing was deleted."""

    code = "not_all_gone"


class NotSandbox(Conflict):
    """Only a sandbox tenant has a clock that can be set."""

    code = "not_sandbox"


class ClockRunsForward(Conflict):
    """A tenant's clock only runs forward."""

    code = "clock_runs_forward"


class TenantFileRefused(PortalError):
    """This file of a client cannot be taken."""

    code = "tenant_file_refused"
    status = 422
    benign = True


class WorkIsHereAlready(Conflict):
    """Work that the file holds is in the queue of a client that is here."""

    code = "work_is_here_already"
