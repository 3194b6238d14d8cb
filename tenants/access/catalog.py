"""What each role may do. A permission is `<room>.<verb>`; what is not listed is denied."""

from collections.abc import Mapping
from typing import Final

from tenants.access.enums import Role

PERMISSIONS: Final[Mapping[str, str]] = {
    "tenancy.read": "See clients and their state",
    "tenancy.provision": "Set up new clients",
    "tenancy.lifecycle": "Suspend, resume and archive clients",
    "tenancy.delete": "Delete clients for good",
    "tenancy.carry": "Export clients, restore them and copy them to a sandbox",
    "tenancy.support": "Come into clients for support",
    "tenancy.clock": "Set the clock of a sandbox",
    "access.people": "Invite people and set their roles",
    "access.tokens": "Make and revoke API tokens",
    "access.policy": "Set how people sign in",
    "access.review": "Review who has access, and ask why somebody may do something",
    "access.support": "See support access, and decide on it",
    "access.scim": "Keep people in step with a directory (SCIM)",
    "branding.edit": "Change the brand",
    "templates.read": "See the template library",
    "templates.install": "Install and upgrade templates",
    "connectors.read": "See connections",
    "connectors.edit": "Add and change connections",
    "events.read": "See events",
    "events.publish": "Send events by the API",
    "events.quarantine": "Look through the quarantine, accept and discard events",
    "events.endpoints": "Manage webhook endpoints",
    "engine.read": "See workflows and runs",
    "engine.start": "Start runs by hand",
    "engine.operate": "Pause workflows; cancel, retry and resume runs",
    "engine.pause": "Pause a whole client or a connection; limit what goes at a time",
    "inbox.read": "See cases",
    "inbox.decide": "Decide, resolve and reopen cases",
    "inbox.comment": "Comment on cases",
    "tasks.do": "Do store tasks",
    "insights.read": "See dashboards and order timelines",
    "insights.targets": "Set targets of key figures",
    "billing.read": "See plan and usage",
    "audit.read": "Read the audit log",
    "audit.stream": "Send the audit log to other systems",
    "audit.erase": "Erase personal data from the audit log",
    "settings.edit": "Change settings",
    "work.read": "See long work and how far it is",
    "work.steer": "Pause, continue and cancel long work",
    "privacy.subjects": "Find, export and erase a person's data",
    "privacy.retention": "Set how long data are kept, and legal holds",
}

_WATCH: Final = frozenset(
    {"templates.read", "connectors.read", "events.read", "engine.read", "inbox.read", "insights.read"}
    | {"work.read"}
)
_STAFF: Final = _WATCH | {"inbox.decide", "inbox.comment", "tasks.do", "engine.operate", "work.steer"}
_TENANT_ADMIN: Final = _STAFF | {
    "access.people",
    "access.tokens",
    "access.policy",
    "access.review",
    "access.scim",
    "access.support",
    "templates.install",
    "connectors.edit",
    "events.endpoints",
    "events.quarantine",
    "events.publish",
    "engine.start",
    "engine.pause",
    "billing.read",
    "audit.read",
    "audit.stream",
    "audit.erase",
    "settings.edit",
    "insights.targets",
    "privacy.subjects",
    "privacy.retention",
}

AT_PARTNER: Final[Mapping[Role, frozenset[str]]] = {
    Role.PARTNER_ADMIN: frozenset(PERMISSIONS) - {"inbox.decide"},
    Role.PARTNER_ENGINEER: frozenset(
        {"tenancy.read", "tenancy.clock", "templates.read", "templates.install", "engine.pause"}
        | {"tenancy.support", "work.read"}
    ),
}
"""What partner staff may do in the partner's console."""

IN_TENANT: Final[Mapping[Role, frozenset[str]]] = {
    Role.PARTNER_ADMIN: _TENANT_ADMIN | {"tenancy.read", "tenancy.lifecycle", "tenancy.clock"},
    Role.PARTNER_ENGINEER: _WATCH
    | {
        "templates.install",
        "connectors.edit",
        "events.endpoints",
        "events.quarantine",
        "engine.start",
        "engine.operate",
        "engine.pause",
        "inbox.comment",
        "work.steer",
    }
    | {"tenancy.clock"},
    Role.TENANT_ADMIN: _TENANT_ADMIN,
    Role.OPERATIONS_MANAGER: _STAFF
    | {"engine.start", "engine.pause", "events.quarantine", "audit.read", "insights.targets"},
    Role.REVIEWER: frozenset({"inbox.read", "inbox.decide", "inbox.comment", "insights.read", "events.read"})
    | {"engine.read", "engine.operate", "work.read", "work.steer"},
    Role.STORE_STAFF: frozenset({"inbox.read", "inbox.comment", "tasks.do"}),
    Role.ANALYST: frozenset({"insights.read", "events.read", "engine.read", "inbox.read", "templates.read"})
    | {"work.read"},
    Role.AUDITOR: frozenset({"audit.read", "engine.read", "inbox.read", "insights.read", "events.read"})
    | {"access.review", "work.read"},
}
"""What each role may do inside a client tenant; partner staff act in every tenant of their partner."""

NOT_IN_SUPPORT: Final = frozenset(
    {
        "access.people",
        "access.tokens",
        "access.policy",
        "access.scim",
        "access.support",
        "audit.stream",
        "audit.erase",
        "events.endpoints",
        "privacy.subjects",
        "privacy.retention",
    }
)
"""What nobody does who came for support: let others in, change how one comes in, see a secret when it is made."""

PARTNER_ROLES: Final = (Role.PARTNER_ADMIN, Role.PARTNER_ENGINEER)
OWN_ROLES: Final = (Role.CUSTOM, Role.PARTNER_CUSTOM)
"""Words for a role that a place made itself; what such a role may do stands in its row."""
STAFF: Final = frozenset({*PARTNER_ROLES, Role.PARTNER_CUSTOM})
"""Roles of people who work for the partner."""
TENANT_ROLES: Final = tuple(role for role in Role if role not in (*PARTNER_ROLES, *OWN_ROLES))


def ceiling(*, partner: bool, in_tenant: bool) -> frozenset[str]:
    """The most that any role of that level may do there: an own role never reaches beyond the shipped admin's."""
    if not in_tenant:
        return AT_PARTNER[Role.PARTNER_ADMIN] if partner else frozenset()
    return IN_TENANT[Role.PARTNER_ADMIN if partner else Role.TENANT_ADMIN]


def shipped(role: Role, *, in_tenant: bool) -> frozenset[str]:
    """What a shipped role may do in a client's portal, or in the partner's console."""
    return (IN_TENANT if in_tenant else AT_PARTNER).get(role, frozenset())


OPERATOR: Final = frozenset(PERMISSIONS) | {"platform.partners", "platform.read"}
"""What a platform operator may do on the platform's own host."""
