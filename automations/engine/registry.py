"""What the engine tells rooms below about itself."""

from collections.abc import Iterable
from uuid import UUID

from automations.connectors.registry import Use, finds_uses
from automations.engine.models import Workflow
from tenants.audit.registry import override

override("engine.operate", "mode", ("edit", "skip", "complete"))
override("engine.operate", "status", ("cancelled",))
override("engine.rewind")
override("engine.migrate")


@finds_uses
def workflows_through(connection_id: UUID) -> Iterable[Use]:
    """Workflows that call a system through this connection."""
    for workflow in Workflow.objects.all():
        if str(connection_id) in workflow.connections.values():
            yield Use("workflow", workflow.public_id, workflow.title)
