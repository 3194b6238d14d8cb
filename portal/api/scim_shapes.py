"""SCIM's shapes: users, groups, lists, errors, and what requests say in its language."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from django.db.models import QuerySet
from rest_framework.response import Response

from kernel.clock import rfc3339
from kernel.errors import Invalid
from tenants.access.enums import Role
from tenants.accounts.models import ScimUser

CORE: Final = "urn:ietf:params:scim:schemas:core:2.0"
API: Final = "urn:ietf:params:scim:api:messages:2.0"
MOST: Final = 200
_EQ: Final = re.compile(r'^\s*([\w.:$]+)\s+eq\s+("(?:[^"\\]|\\.)*")\s*$', re.IGNORECASE)
_MEMBER: Final = re.compile(r'^members\[value eq "([\w-]+)"\]$', re.IGNORECASE)


def error(status: int, detail: str, kind: str = "") -> Response:
    """An error as SCIM writes it."""
    body = {"schemas": [f"{API}:Error"], "status": str(status), "detail": detail}
    return Response(body | ({"scimType": kind} if kind else {}), status=status)


def user(row: ScimUser, base: str) -> dict[str, Any]:
    """A person."""
    given, _, family = row.user.name.rpartition(" ")
    return {
        "schemas": [f"{CORE}:User"],
        "id": row.public_id,
        **({"externalId": row.external_id} if row.external_id else {}),
        "userName": row.user_name,
        "name": {"formatted": row.user.name, "givenName": given, "familyName": family},
        "displayName": row.user.name or row.user_name,
        "emails": [{"value": row.user.email, "type": "work", "primary": True}],
        "active": row.active,
        "groups": [{"value": row.role, "display": str(Role(row.role).label), "type": "direct"}]
        if row.active
        else [],
        "meta": {
            "resourceType": "User",
            "created": rfc3339(row.created_at),
            "lastModified": rfc3339(row.changed_at),
            "location": f"{base}/Users/{row.public_id}",
        },
    }


def group(role: Role, people: Sequence[ScimUser], base: str) -> dict[str, Any]:
    """A role as a group."""
    return {
        "schemas": [f"{CORE}:Group"],
        "id": str(role.value),
        "displayName": str(role.value),
        "members": [
            {"value": row.public_id, "display": row.user_name, "$ref": f"{base}/Users/{row.public_id}"}
            for row in people
            if row.role == role and row.active
        ],
        "meta": {"resourceType": "Group", "location": f"{base}/Groups/{role.value}"},
    }


def listed(rows: Any, query: Mapping[str, str], shape: Callable[[Any], dict[str, Any]]) -> Response:
    """A page of a list: from `startIndex` on, at most `count`."""
    try:
        start = max(int(query.get("startIndex", "1")), 1)
        count = min(max(int(query.get("count", MOST)), 0), MOST)
    except ValueError as wrong:
        raise Invalid(fields={"startIndex": ["startIndex and count are numbers."]}) from wrong
    total = rows.count() if isinstance(rows, QuerySet) else len(rows)
    found = [shape(row) for row in rows[start - 1 : start - 1 + count]]
    return Response(
        {
            "schemas": [f"{API}:ListResponse"],
            "totalResults": total,
            "startIndex": start,
            "itemsPerPage": len(found),
            "Resources": found,
        }
    )


def _asked(text: str) -> tuple[str, str] | None:
    """(attribute, value) of a filter; None where there is none. Raises Invalid for what is not understood."""
    if not text:
        return None
    match = _EQ.match(text)
    try:
        value = str(json.loads(match[2])) if match else "\0"
    except ValueError:
        value = "\0"
    if match is None or "\0" in value:
        raise Invalid(fields={"filter": ['Only `attribute eq "value"` is understood.']})
    return match[1].rpartition(":")[2].lower(), value


def filtered(rows: "QuerySet[ScimUser]", text: str, known: Mapping[str, str]) -> "QuerySet[ScimUser]":
    """`rows` by a filter over the known attributes."""
    asked = _asked(text)
    if asked is None:
        return rows
    name, value = asked
    if name not in known:
        raise Invalid(fields={"filter": [f"{name} cannot be filtered by."]})
    return rows.filter(**{known[name]: value}) if known[name] else rows.none()


def named(roles: Sequence[Role], text: str) -> list[Role]:
    """The roles that a filter by name means: by their short name or by the one that people read."""
    asked = _asked(text)
    if asked is None:
        return list(roles)
    if asked[0] not in ("displayname", "id"):
        raise Invalid(fields={"filter": [f"{asked[0]} cannot be filtered by."]})
    wanted = asked[1].strip().lower()
    return [role for role in roles if wanted in (str(role.value), str(role.label).lower())]


def values_of(body: Mapping[str, Any], *, new: bool = False) -> dict[str, Any]:
    """What a user resource says, in our words. Raises Invalid."""
    if "\\u0000" in json.dumps(body):
        raise Invalid(fields={"schemas": ["No text holds a zero byte."]})
    found: dict[str, Any] = {}
    given = {str(name).lower(): value for name, value in body.items()}
    if "username" in given or new:
        name = given.get("username")
        if not isinstance(name, str) or not 0 < len(name.strip()) <= 254:
            raise Invalid(fields={"userName": ["userName is needed: up to 254 letters."]})
        found["user_name"] = name.strip()
    if "active" in given:
        found["active"] = _yes(given["active"])
    if "externalid" in given:
        found["external_id"] = str(given["externalid"] or "")[:255]
    if (email := _email(given.get("emails"))) is not None:
        found["email"] = email
    if (person := _name(given)) is not None:
        found["name"] = person
    return found


def _yes(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise Invalid(fields={"active": ["active is true or false."]})


def _email(emails: Any) -> str | None:
    if emails is None:
        return None
    rows = [one for one in emails if isinstance(one, dict)] if isinstance(emails, list) else []
    first = next((one for one in rows if one.get("primary")), rows[0] if rows else None)
    if first is None or not isinstance(first.get("value"), str):
        raise Invalid(fields={"emails": ["emails is a list of objects with a value."]})
    return str(first["value"])


def _name(given: Mapping[str, Any]) -> str | None:
    parts = given.get("name")
    if isinstance(parts, dict):
        whole = (
            parts.get("formatted") or f"{parts.get('givenName', '')} {parts.get('familyName', '')}".strip()
        )
        if whole:
            return str(whole)
    shown = given.get("displayname")
    return str(shown) if isinstance(shown, str) and shown else None


def _operations(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = body.get("Operations") or body.get("operations")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found) or len(found) > 100:
        raise Invalid(fields={"Operations": ["Operations is a list of up to 100 objects."]})
    return found


def patched(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a PATCH of a user says in all; attributes that are not kept here are passed over."""
    whole: dict[str, Any] = {}
    for one in _operations(body):
        act, path, value = str(one.get("op", "")).lower(), str(one.get("path") or ""), one.get("value")
        if act not in ("add", "replace", "remove"):
            raise Invalid(fields={"Operations": ["op is add, replace or remove."]})
        if act == "remove":
            continue  # nothing of what is kept can be without a value
        if not path:
            whole |= {name.lower(): part for name, part in value.items()} if isinstance(value, dict) else {}
        else:
            _put(whole, path.rpartition(":")[2], value)
    return values_of(whole)


def _put(whole: dict[str, Any], path: str, value: Any) -> None:
    low = path.lower()
    if low.startswith("emails"):
        whole["emails"] = value if isinstance(value, list) else [{"value": value, "primary": True}]
    elif low.startswith("name."):
        names = {"givenname": "givenName", "familyname": "familyName", "formatted": "formatted"}
        whole.setdefault("name", {})[names.get(low.partition(".")[2], low)] = value
    else:
        whole[low] = value


def members_of(members: Any) -> set[str]:
    """The ids in a list of members. Raises Invalid."""
    rows = members if isinstance(members, list) else [members]
    if not all(isinstance(one, dict) and isinstance(one.get("value"), str) for one in rows):
        raise Invalid(fields={"members": ["members is a list of objects with a value."]})
    return {str(one["value"]) for one in rows}


def member_changes(body: Mapping[str, Any]) -> Iterator[tuple[str, set[str] | None]]:
    """(add, remove or replace; whom) of a PATCH of a group; None stands for all. Other attributes are passed over."""
    for one in _operations(body):
        act, path, value = str(one.get("op", "")).lower(), str(one.get("path") or ""), one.get("value")
        single = _MEMBER.match(path)
        if single and act == "remove":
            yield "remove", {single[1]}
        elif path.lower() == "members" or (not path and isinstance(value, dict) and "members" in value):
            members = value if path else (value or {}).get("members")
            yield act, None if members is None else members_of(members)


def about(what: str, base: str) -> dict[str, Any] | None:
    """What this service says about itself."""
    if what == "ServiceProviderConfig":
        no = {"supported": False}
        return {
            "schemas": [f"{CORE}:ServiceProviderConfig"],
            "patch": {"supported": True},
            "bulk": {**no, "maxOperations": 0, "maxPayloadSize": 0},
            "filter": {"supported": True, "maxResults": MOST},
            "changePassword": no,
            "sort": no,
            "etag": no,
            "authenticationSchemes": [
                {
                    "type": "oauthbearertoken",
                    "name": "API token",
                    "description": "A token with the scope access.scim.",
                }
            ],
            "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
        }
    if what == "ResourceTypes":
        return _list(_types(base))
    return _list(_schemas(base)) if what == "Schemas" else None


def _list(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schemas": [f"{API}:ListResponse"],
        "totalResults": len(rows),
        "startIndex": 1,
        "itemsPerPage": len(rows),
        "Resources": rows,
    }


def _types(base: str) -> list[dict[str, Any]]:
    return [
        {
            "schemas": [f"{CORE}:ResourceType"],
            "id": name,
            "name": name,
            "endpoint": f"/{name}s",
            "schema": f"{CORE}:{name}",
            "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{name}"},
        }
        for name in ("User", "Group")
    ]


def _attribute(name: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "multiValued": False,
        "required": False,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
        **more,
    }


def _schemas(base: str) -> list[dict[str, Any]]:
    value = _attribute("value")
    names = [_attribute(name) for name in ("formatted", "givenName", "familyName")]
    emails = [value, _attribute("type"), _attribute("primary", "boolean")]
    attributes = {
        "User": [
            _attribute("userName", required=True, uniqueness="server"),
            _attribute("name", "complex", subAttributes=names),
            _attribute("displayName"),
            _attribute("emails", "complex", multiValued=True, subAttributes=emails),
            _attribute("active", "boolean"),
            _attribute("groups", "complex", multiValued=True, mutability="readOnly", subAttributes=[value]),
        ],
        "Group": [
            _attribute("displayName", required=True, mutability="immutable", uniqueness="server"),
            _attribute("members", "complex", multiValued=True, subAttributes=[value]),
        ],
    }
    return [
        {
            "schemas": [f"{CORE}:Schema"],
            "id": f"{CORE}:{name}",
            "name": name,
            "attributes": rows,
            "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{CORE}:{name}"},
        }
        for name, rows in attributes.items()
    ]
