"""The end of clients: asked for, taken back, certified."""

from kernel import clock
from kernel.errors import Conflict
from portal.api import fields
from portal.api.desk import ACCEPTED, Call, Desk, operation, rule
from portal.api.fields import PublicId, Shape
from portal.api.pages import Listing
from portal.api.tenancy import Reason, client_of
from tenants.tenancy import queries
from tenants.tenancy.actions import deleting
from tenants.tenancy.enums import DeletionState
from tenants.tenancy.models import Deletion


class Leaving(Shape):
    """The deletion of a client."""

    id = PublicId("del", help_text="Id of the deletion.")
    tenant = PublicId("tnt", source="subject_id", help_text="The client that goes or is gone.")
    name = fields.text("Its name.")
    slug = fields.text("The first part of its address.")
    state = fields.one_of(DeletionState.choices, "How far it is.")
    reason = fields.text("Why.")
    asked_by = fields.text("Who asked for it.")
    asked_at = fields.at("When that was.")
    due_at = fields.at("Until then it can be taken back.")
    done_at = fields.perhaps_at("When it was done.")
    certificate = fields.text("A signed note of what was deleted; empty until then.", allow_blank=True)


class LeavingAsked(Reason):
    """Why, and its name to be sure."""

    typed = fields.text("The name of the client, written out.", max_length=120)


class Deletions(Desk):
    """Clients that are gone or wait to go."""

    rule = rule(get="tenancy.read")

    @operation("list_deletions", returns=Leaving, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """Deletions of the partner's clients, the last asked for first."""
        return call.paging.of(queries.deletions_of(call.partner_id), by="-asked_at")


class Delete(Desk):
    """Deleting a client for good."""

    rule = rule(post="tenancy.delete")

    @operation(
        "delete_tenant", takes=LeavingAsked, returns=Leaving, status=ACCEPTED, once=True, raises=(Conflict,)
    )
    def post(self, call: Call, tenant: str) -> Deletion:
        """Have an archived client deleted when the waiting time is over."""
        row = client_of(call, tenant)
        return deleting.request_deletion(tenant=row, actor=call.actor, now=clock.now(), **call.body)


class Keep(Desk):
    """Keeping a client that was to be deleted."""

    rule = rule(post="tenancy.delete")

    @operation("keep_tenant", takes=Reason, returns=Leaving, once=True, raises=(Conflict,))
    def post(self, call: Call, tenant: str) -> Deletion:
        """Keep a client after all."""
        row = client_of(call, tenant)
        return deleting.cancel_deletion(tenant=row, actor=call.actor, now=clock.now(), **call.body)
