"""What key figures should be here."""

from automations.insights.models import KpiTarget


def targets() -> dict[str, float]:
    """The target of each figure that has one, by its code."""
    return dict(KpiTarget.objects.values_list("code", "value"))
