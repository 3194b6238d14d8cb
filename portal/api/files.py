"""A client's files: asked for, listed, removed; a masked copy of a client; going back to a file."""

from typing import Any

from kernel import clock
from kernel.errors import Conflict, NotFound
from portal.api import fields
from portal.api.desk import ACCEPTED, NO_CONTENT, Call, Desk, operation, rule
from portal.api.fields import PublicId, Shape, key_of
from portal.api.pages import Listing
from portal.api.tenancy import Reason, Setup, client_of, setup_of
from tenants.tenancy import queries
from tenants.tenancy.actions import exporting, restoring, sandboxing
from tenants.tenancy.enums import JobState, RestoreState
from tenants.tenancy.errors import AddressTaken
from tenants.tenancy.models import Restore, TenantFile


class ClientFile(Shape):
    """A file of a client."""

    id = PublicId("tfl", help_text="Id of the file.")
    tenant = PublicId("tnt", source="tenant_id", help_text="Whose it is.")
    state = fields.one_of(JobState.choices, "How far it is.")
    reason = fields.text("Why it was made.", allow_blank=True)
    asked_by = fields.text("Who asked for it.")
    asked_at = fields.at("When that was.")
    as_of = fields.perhaps_at("The instant that it shows.")
    done_at = fields.perhaps_at("When it was done.")
    rows = fields.number("Rows in it so far.")
    size = fields.number("Its bytes.")
    sha256 = fields.text("SHA-256 of it; empty until it is done.", allow_blank=True)
    error = fields.text("Why it could not be made.", allow_blank=True)


class Compared(Shape):
    """A table of a client, now and in a file."""

    table = fields.text("Its name.")
    now = fields.number("Rows now.")
    then = fields.number("Rows in the file.")
    newest_now = fields.text("The newest instant in it now; empty where there is none.", allow_blank=True)
    newest_then = fields.text("The newest instant in the file.", allow_blank=True)


class ClientRestore(Shape):
    """A file that is laid out beside the live client."""

    id = PublicId("rst", help_text="Id of the restore.")
    tenant = PublicId("tnt", source="tenant_id", help_text="Whose it is.")
    file = PublicId("tfl", source="file_id", help_text="The file.")
    state = fields.one_of(RestoreState.choices, "How far it is.")
    as_of = fields.at("The instant that it goes back to.")
    reason = fields.text("Why.", allow_blank=True)
    asked_by = fields.text("Who asked for it.")
    asked_at = fields.at("When that was.")
    over_at = fields.perhaps_at("When it was put in place or thrown away.")
    compared = Compared(many=True, help_text="Table by table.")
    error = fields.text("Why it could not be laid out.", allow_blank=True)


class RestoreAsked(Reason):
    """Which file, and why."""

    file = PublicId("tfl", help_text="The file to go back to.")


class SwapAsked(Reason):
    """Why, and the client's name to be sure."""

    typed = fields.text("The name of the client, written out.", max_length=120)


class SandboxAsked(Reason):
    """What the copy is called, where it is, and why it is made."""

    name = fields.text("Its name.", max_length=120)
    slug = fields.text("The first part of its address.", max_length=40)


def _file(call: Call, tenant: str, file: str) -> TenantFile:
    key = key_of("tfl", file)
    row: TenantFile | None = queries.files_of(client_of(call, tenant).id).filter(pk=key).first()
    if row is None:
        raise NotFound
    return row


def _restore(call: Call, tenant: str, restore: str) -> Restore:
    key = key_of("rst", restore)
    row: Restore | None = queries.restores_of(client_of(call, tenant).id).filter(pk=key).first()
    if row is None:
        raise NotFound
    return row


class ClientFiles(Desk):
    """The files of a client."""

    rule = rule(get="tenancy.carry", post="tenancy.carry")

    @operation("list_tenant_files", returns=ClientFile, many=True, paged=True)
    def get(self, call: Call, tenant: str) -> Listing:
        """Files of a client, the last asked for first."""
        return call.paging.of(queries.files_of(client_of(call, tenant).id), by="-asked_at")

    @operation(
        "export_tenant", takes=Reason, returns=ClientFile, status=ACCEPTED, once=True, raises=(Conflict,)
    )
    def post(self, call: Call, tenant: str) -> TenantFile:
        """Have a file made of everything of a client as it is now; a job does it."""
        row = client_of(call, tenant)
        return exporting.request_file(tenant=row, actor=call.actor, now=clock.now(), **call.body)


class OneFile(Desk):
    """One file of a client."""

    rule = rule(get="tenancy.carry", delete="tenancy.carry")

    @operation("get_tenant_file", returns=ClientFile)
    def get(self, call: Call, tenant: str, tenant_file: str) -> TenantFile:
        """A file of a client, and how far it is."""
        return _file(call, tenant, tenant_file)

    @operation("remove_tenant_file", status=NO_CONTENT, raises=(Conflict,))
    def delete(self, call: Call, tenant: str, tenant_file: str) -> None:
        """Take a file away."""
        row = _file(call, tenant, tenant_file)
        exporting.remove_file(file=row, reason="", actor=call.actor, now=clock.now())


class Sandbox(Desk):
    """A masked copy of a client."""

    rule = rule(post="tenancy.carry")

    @operation(
        "copy_tenant",
        takes=SandboxAsked,
        returns=Setup,
        status=ACCEPTED,
        once=True,
        raises=(AddressTaken, Conflict),
    )
    def post(self, call: Call, tenant: str) -> dict[str, Any]:
        """Make a sandbox with the rows of a client behind masks; a job does it."""
        row = client_of(call, tenant)
        job = sandboxing.request_sandbox(tenant=row, actor=call.actor, now=clock.now(), **call.body)
        return setup_of(job)


class Restores(Desk):
    """Files that were laid out beside a client."""

    rule = rule(get="tenancy.carry", post="tenancy.carry")

    @operation("list_tenant_restores", returns=ClientRestore, many=True, paged=True)
    def get(self, call: Call, tenant: str) -> Listing:
        """Restores of a client, the last asked for first."""
        return call.paging.of(queries.restores_of(client_of(call, tenant).id), by="-asked_at")

    @operation(
        "restore_tenant",
        takes=RestoreAsked,
        returns=ClientRestore,
        status=ACCEPTED,
        once=True,
        raises=(Conflict,),
    )
    def post(self, call: Call, tenant: str) -> Restore:
        """Have a file laid out beside the live client and compared with it; a job does it."""
        row = queries.files_of(client_of(call, tenant).id).filter(pk=call.body["file"]).first()
        if row is None:
            raise NotFound
        reason = call.body["reason"]
        return restoring.request_restore(file=row, reason=reason, actor=call.actor, now=clock.now())


class OneRestore(Desk):
    """One restore of a client."""

    rule = rule(get="tenancy.carry")

    @operation("get_tenant_restore", returns=ClientRestore)
    def get(self, call: Call, tenant: str, restore: str) -> Restore:
        """What is laid out, table by table."""
        return _restore(call, tenant, restore)


class Swap(Desk):
    """Putting what is laid out in the live client's place."""

    rule = rule(post="tenancy.carry")

    @operation("swap_tenant_restore", takes=SwapAsked, returns=ClientRestore, once=True, raises=(Conflict,))
    def post(self, call: Call, tenant: str, restore: str) -> Restore:
        """Let the client be as it was; it is suspended until it is resumed."""
        row = _restore(call, tenant, restore)
        return restoring.swap_in(restore=row, actor=call.actor, now=clock.now(), **call.body)


class Drop(Desk):
    """Throwing away what is laid out."""

    rule = rule(post="tenancy.carry")

    @operation("drop_tenant_restore", takes=Reason, returns=ClientRestore, once=True, raises=(Conflict,))
    def post(self, call: Call, tenant: str, restore: str) -> Restore:
        """Throw away what is laid out beside a client."""
        row = _restore(call, tenant, restore)
        return restoring.drop_restore(restore=row, actor=call.actor, now=clock.now(), **call.body)
