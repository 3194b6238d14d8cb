"""`manage.py tenant_restore`: a client as it was in a file, looked at beside the live one, then put in its place."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kernel import clock
from kernel.actor import system
from kernel.errors import PortalError
from kernel.ids import parse_public_id
from tenants.tenancy import queries
from tenants.tenancy.actions import exporting, restoring
from tenants.tenancy.enums import RestoreState
from tenants.tenancy.models import Restore, Tenant, TenantFile


class Command(BaseCommand):
    """Without an order it lists the client's files; nothing of the live client changes before --swap."""

    help = "List a client's files; make one (--make), lay one out (--file), then --swap it in, or --drop it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and one thing at a time."""
        parser.add_argument("tenant", help="<partner>/<tenant>")
        order = parser.add_mutually_exclusive_group()
        order.add_argument("--make", action="store_true", help="Make a file of the client as it is now.")
        order.add_argument("--file", help="Lay out the file with this id, and compare.")
        order.add_argument(
            "--swap", action="store_true", help="Put what is laid out in the live one's place."
        )
        order.add_argument("--drop", action="store_true", help="Throw away what is laid out.")
        parser.add_argument("--name", default="", help="--swap: the client's name, to be sure.")
        parser.add_argument("--reason", default="", help="Stands in the audit.")

    def handle(self, *_: Any, tenant: str, **asked: Any) -> None:
        """Raises CommandError."""
        try:
            row = Tenant.objects.get(pk=queries.tenant_by_slug(tenant).id)
            self.stdout.write(self._told(row, asked))
        except (PortalError, ValueError, TenantFile.DoesNotExist) as error:
            raise CommandError(str(error)) from error

    def _told(self, tenant: Tenant, asked: dict[str, Any]) -> str:
        why: dict[str, Any] = {
            "reason": asked["reason"],
            "actor": system("tenant_restore"),
            "now": clock.now(),
        }
        if asked["make"]:
            file = exporting.request_file(tenant=tenant, **why)
            made = exporting.make_file(file_id=file.id, now=clock.now())
            return f"{made.public_id} {made.state}: {made.rows} rows, {made.size} bytes {made.error}"
        if asked["file"]:
            return self._lay_out(tenant, asked["file"], why)
        if asked["swap"]:
            done = restoring.swap_in(restore=self._open(tenant), typed=asked["name"], **why)
            return (
                f"{tenant.slug} is as it was at {done.as_of.isoformat()}, and suspended until you resume it"
            )
        if asked["drop"]:
            return f"{restoring.drop_restore(restore=self._open(tenant), **why).public_id} thrown away"
        return self._list(tenant)

    def _lay_out(self, tenant: Tenant, name: str, why: dict[str, Any]) -> str:
        file = queries.files_of(tenant.id).get(pk=parse_public_id(TenantFile.prefix, name))
        asked = restoring.request_restore(file=file, **why)
        made = restoring.lay_beside(restore_id=asked.id, now=clock.now())
        if made.state != RestoreState.READY:
            return f"not laid out: {made.error}"
        for one in made.compared:
            self.stdout.write(
                f"{one['table']:<32} now {one['now']:>9} then {one['then']:>9}  {one['newest_then']}"
            )
        return f"{made.public_id} lies beside the live client; --swap or --drop"

    @staticmethod
    def _open(tenant: Tenant) -> Restore:
        found: Restore | None = queries.restores_of(tenant.id).filter(state=RestoreState.READY).first()
        if found is None:
            raise CommandError("nothing is laid out beside this client")
        return found

    @staticmethod
    def _list(tenant: Tenant) -> str:
        files = [
            f"{one.public_id} {one.state} {one.as_of} {one.rows} rows" for one in queries.files_of(tenant.id)
        ]
        return "\n".join(files) or "no file of this client is here"
