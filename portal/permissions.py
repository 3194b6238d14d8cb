"""Deny by default: a view says which permission opens it, and a view that says nothing opens for nobody."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from rest_framework.permissions import BasePermission

_View = TypeVar("_View", bound=Callable[..., Any])
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CASE: Final = ("list", "case", "correct", "decide", "assign", "snooze", "wake", "reopen", "comment")
_RUN: Final = ("list", "run", "cancel", "pause", "retry", "skip", "complete")
_API: Final = ("cases", "case", "case-decide", "case-reopen", "case-assign", "case-snooze", "case-comments")
WITHIN_REACH: Final = frozenset(
    {f"inbox:{name}" for name in _CASE}
    | {f"runs:{name}" for name in _RUN}
    | {f"api:{name}" for name in (*_API, "runs", "run", "run-resume", "run-cancel", "run-pause")}
    | {"orders:list", "orders:timeline", "api:order-timeline", "workflows:list", "workflows:detail"}
    | {"api:workflows", "api:workflow"}
)
"""Addresses that look at nothing but tables which keep to the reader's reach; no other opens for whoever has one."""


@dataclass(frozen=True)
class Rule:
    """Who may pass: `public` anybody, `signed_in` anybody with a login, else the permission of the method.

    `by_grant`: the view itself looks at the object, since a grant on it may open what the role does not.
    `unproven`: open as well to somebody who still owes a second factor, so that they can set one up.
    """

    public: bool = False
    signed_in: bool = False
    methods: dict[str, str] = field(default_factory=dict)
    by_grant: bool = False
    read_only_exempt: bool = False
    unproven: bool = False

    def permission(self, method: str) -> str | None:
        """The permission that `method` needs; None if the method has no rule, so nobody may use it."""
        return self.methods.get("GET" if method in ("HEAD", "OPTIONS") else method)


def door(
    permission: str = "",
    *,
    post: str = "",
    public: bool = False,
    signed_in: bool = False,
    by_grant: bool = False,
    read_only_exempt: bool = False,
    unproven: bool = False,
) -> Callable[[_View], _View]:
    """Mark a view with its rule: `permission` for reading it, `post` for sending to it (the same if not given)."""
    methods = (
        {"GET": permission, "POST": post or permission} if permission else ({"POST": post} if post else {})
    )
    rule = Rule(
        public=public,
        signed_in=signed_in,
        methods=methods,
        by_grant=by_grant,
        read_only_exempt=read_only_exempt,
        unproven=unproven,
    )

    def mark(view: _View) -> _View:
        view.rule = rule  # type: ignore[attr-defined] # a mark on a function
        return view

    return mark


def rule_of(view: Callable[..., Any]) -> Rule | None:
    """The rule of a view function, or of the API class behind it."""
    found: Rule | None = getattr(view, "rule", None) or getattr(getattr(view, "cls", None), "rule", None)
    return found


class ApiPermission(BasePermission):
    """The API's classes carry a `rule`, too; the middleware has checked it before the class runs.

    This second look stands between a class and a caller that does not come by the middleware.
    """

    def has_permission(self, request: Any, view: Any) -> bool:
        """Whether the actor of this request passes the rule of the class."""
        rule: Rule | None = getattr(view, "rule", None)
        if rule is None:
            return False
        if rule.public:
            return True
        actor = getattr(request, "actor", None) or getattr(request._request, "actor", None)
        if actor is None:
            return False
        if rule.signed_in or rule.by_grant:
            return True
        permission = rule.permission(request.method)
        return bool(permission and actor.may(permission))
