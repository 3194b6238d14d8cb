"""What can go wrong between a reader and a figure."""

from kernel.errors import NotFound


class UnknownKpi(NotFound):
    """There is no such figure."""

    code = "unknown_kpi"


class UnknownOrder(NotFound):
    """Nothing is known of this order."""

    code = "unknown_order"
