"""Who does something: a person, an API token, or the portal itself."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from kernel.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Actor:
    """The doer of an action, with the permissions that hold where it acts (a partner or a tenant)."""

    kind: Literal["user", "token", "system"]
    id: UUID | None
    label: str
    permissions: frozenset[str] = frozenset()
    request_id: str = ""
    address: str = ""
    user_id: UUID | None = None
    roles: tuple[str, ...] = field(default=())
    scoped_as: UUID | None = None
    """Whose grants say how far this actor can see; None: everywhere."""

    def may(self, permission: str) -> bool:
        """Whether this actor holds `permission` here; the portal itself always does."""
        return self.kind == "system" or permission in self.permissions

    def require(self, permission: str) -> None:
        """Go on only if this actor holds `permission` here. Raises Forbidden."""
        if not self.may(permission):
            raise Forbidden(permission=permission, actor=self.label)


def system(label: str) -> Actor:
    """The portal acting by itself, named by the part that acts (`"engine"`)."""
    return Actor(kind="system", id=None, label=label)
