"""What the engine tells rooms below about itself."""

from collections.abc import Collection, Iterable
from uuid import UUID

from automations.connectors.registry import Use, finds_uses
from automations.engine.models import Workflow
from tenants.audit.registry import override

override("engine.operate", "mode", ("edit", "skip", "complete"))
override("engine.operate", "status", ("cancelled",))
override("engine.rewind")
override("engine.migrate")


@finds_uses
def workflows_through(wanted: Collection[UUID]) -> Iterable[tuple[UUID, Use]]:
    """Workflows that call a system through these connections, each with the connection."""
    for workflow in Workflow.objects.all():
        through = set(workflow.connections.values())
        for key in wanted:
            if str(key) in through:
                yield key, Use("workflow", workflow.public_id, workflow.title)
