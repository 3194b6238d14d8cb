"""What every page shows around its content."""

from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """The portal that is asked for, and who asks."""
    return {"portal": getattr(request, "portal", None), "actor": getattr(request, "actor", None)}
