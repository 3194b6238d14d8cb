"""A directory keeps people by SCIM, over a real socket: as the well-known ones speak, and as an attacker would."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from kernel import clock
from tenants.access import actions as access
from tenants.access.models import Membership, User
from tenants.accounts.models import ScimUser, Visit
from tenants.tenancy.models import Partner, Tenant
from tests.support.cast import Cast
from tests.support.serving import Caller, serving

CORE = "urn:ietf:params:scim:schemas:core:2.0"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
USERS, GROUPS = "/api/scim/v2/Users", "/api/scim/v2/Groups"


def token(cast: Cast, *scopes: str, tenant: bool = True) -> str:
    _, text = access.make_token(
        partner=Partner.objects.get(pk=cast.partner.id),
        tenant=Tenant.objects.get(pk=cast.tenant.id) if tenant else None,
        name="directory",
        scopes=list(scopes or ("access.scim",)),
        expires_at=None,
        actor=cast.actor(cast.owner if tenant else cast.partner_admin, "" if tenant else cast.partner_host),
        now=clock.now(),
    )
    return text


@pytest.fixture
def call(committed: Any, cast: Cast) -> Iterator[Caller]:
    with serving() as port:
        yield Caller(
            port,
            cast.host,
            {"Authorization": f"Bearer {token(cast)}", "Content-Type": "application/scim+json"},
        )


def new(name: str = "dora@cast.test", **more: Any) -> dict[str, Any]:
    return {
        "schemas": [f"{CORE}:User"],
        "userName": name,
        "externalId": f"ext-{name}",
        "name": {"givenName": "Dora", "familyName": "Directory"},
        "emails": [{"primary": True, "type": "work", "value": name}],
        "active": True,
        **more,
    }


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


def test_the_life_of_a_person_in_a_directory(call: Caller, cast: Cast) -> None:
    assert call("GET", f'{USERS}?filter=userName%20eq%20"dora@cast.test"').body["totalResults"] == 0
    made = call("POST", USERS, new())
    assert made.status == 201
    assert made.headers["Content-Type"].startswith("application/scim+json")
    key = made.body["id"]
    assert made.headers["Location"].endswith(f"{USERS}/{key}")
    member = Membership.objects.get(user__email="dora@cast.test")
    assert (member.role, member.tenant_id, str(member.user)) == ("analyst", cast.tenant.id, "Dora Directory")
    again = call("POST", USERS, new("DORA@cast.test"))
    assert (again.status, again.body["scimType"]) == (409, "uniqueness")
    found = call("GET", f'{USERS}?filter=userName%20eq%20"Dora@cast.test"').body
    assert [one["id"] for one in found["Resources"]] == [key]
    assert call("GET", f'{USERS}?filter=externalId%20eq%20"ext-dora@cast.test"').body["totalResults"] == 1
    put = call("PUT", f"{USERS}/{key}", {**new(), "name": {"givenName": "Dora", "familyName": "Other"}})
    assert put.status == 200, put.body
    assert put.body["name"]["formatted"] == "Dora Other"
    assert call("DELETE", f"{USERS}/{key}").status == 204
    assert call("GET", f"{USERS}/{key}").status == 404
    assert not Membership.objects.filter(user__email="dora@cast.test").exists()


@pytest.mark.parametrize(
    "said",
    [
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "replace", "path": "active", "value": False},
        {"op": "replace", "value": {"active": False}},
        {"op": "Replace", "path": f"{CORE}:User:active", "value": "false"},
    ],
)
def test_who_is_switched_off_is_out_at_the_next_request(
    call: Caller, cast: Cast, said: dict[str, Any]
) -> None:
    key = call("POST", USERS, new()).body["id"]
    user = User.objects.get(email="dora@cast.test")
    user.set_password("a pass phrase of dora")
    user.save()
    browser = Client(HTTP_HOST=cast.host)
    browser.post("/sign-in", {"email": user.email, "password": "a pass phrase of dora"})
    assert browser.get("/figures/").status_code == 200
    began = time.monotonic()
    answer = call("PATCH", f"{USERS}/{key}", patch(said))
    assert (answer.status, answer.body["active"]) == (200, False)
    assert browser.get("/figures/").status_code == 302
    assert time.monotonic() - began < 60
    assert not Visit.objects.filter(user=user, ended_at__isnull=True).exists()
    back = call("PATCH", f"{USERS}/{key}", patch({"op": "replace", "path": "active", "value": True}))
    assert back.body["active"] is True
    assert Membership.objects.filter(user=user, role="analyst").exists()
    assert browser.get("/figures/").status_code == 302, "a session that is over stays over"


def test_groups_are_the_roles_of_the_place(call: Caller, cast: Cast) -> None:
    key = call("POST", USERS, new()).body["id"]
    names = {one["id"] for one in call("GET", GROUPS).body["Resources"]}
    assert {"tenant_admin", "reviewer", "auditor"} <= names
    found = call("GET", f'{GROUPS}?filter=displayName%20eq%20"Exception%20reviewer"').body["Resources"]
    assert [one["id"] for one in found] == ["reviewer"]
    add = patch({"op": "Add", "path": "members", "value": [{"value": key}]})
    answer = call("PATCH", f"{GROUPS}/reviewer", add)
    assert [one["value"] for one in answer.body["members"]] == [key]
    assert Membership.objects.get(user__email="dora@cast.test").role == "reviewer"
    assert call("GET", f"{USERS}/{key}").body["groups"][0]["value"] == "reviewer"
    remove = patch({"op": "Remove", "path": f'members[value eq "{key}"]'})
    assert call("PATCH", f"{GROUPS}/reviewer", remove).body["members"] == []
    assert Membership.objects.get(user__email="dora@cast.test").role == "analyst"
    assert call("PUT", f"{GROUPS}/auditor", {"members": [{"value": key}]}).body["members"][0]["value"] == key
    assert call("POST", GROUPS, {"displayName": "auditor"}).status == 409
    assert call("POST", GROUPS, {"displayName": "Knitting"}).status == 400
    assert call("DELETE", f"{GROUPS}/auditor").status == 403
    assert call("PATCH", f"{GROUPS}/tenant_admin", add).status == 403, (
        "nobody becomes an admin by a directory"
    )
    assert Membership.objects.get(user__email="dora@cast.test").role == "auditor"


def test_lists_come_in_pages(call: Caller) -> None:
    for number in range(5):
        call("POST", USERS, new(f"person{number}@cast.test"))
    page = call("GET", f"{USERS}?startIndex=2&count=2").body
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (5, 2, 2)
    assert [one["userName"] for one in page["Resources"]] == ["person1@cast.test", "person2@cast.test"]


def test_it_says_what_it_can_do(call: Caller) -> None:
    assert call("GET", "/api/scim/v2/ServiceProviderConfig").body["patch"]["supported"] is True
    assert call("GET", "/api/scim/v2/ResourceTypes").body["totalResults"] == 2
    assert call("GET", "/api/scim/v2/Schemas").body["totalResults"] == 2
    assert call("GET", "/api/scim/v2/Nothing").status == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", USERS, {}),
        ("POST", USERS, []),
        ("POST", USERS, {"userName": 7}),
        ("POST", USERS, {"userName": "no address"}),
        ("POST", USERS, {"userName": "a@b.test", "active": "perhaps"}),
        ("POST", USERS, {"userName": "a@b.test", "emails": "a@b.test"}),
        ("GET", f"{USERS}?filter=userName%20co%20%22a%22", None),
        ("GET", f"{USERS}?filter=password%20eq%20%22a%22", None),
        ("GET", f"{USERS}?filter=userName%20eq%20%22%5Cu00%22", None),
        ("GET", f"{USERS}?startIndex=one", None),
        ("PATCH", "user", {"Operations": "all"}),
        ("PATCH", "user", {"Operations": [{"op": "destroy"}]}),
        ("PATCH", f"{GROUPS}/reviewer", {"Operations": [{"op": "add", "path": "members", "value": ["x"]}]}),
    ],
)
def test_what_is_wrong_is_said_in_its_own_form(call: Caller, method: str, path: str, body: Any) -> None:
    if path == "user":
        path = f"{USERS}/{call('POST', USERS, new()).body['id']}"
    answer = call(method, path, body)
    assert answer.status == 400
    assert answer.body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert answer.body["detail"]


def test_a_directory_speaks_for_its_own_place_alone(call: Caller, cast: Cast) -> None:
    elsewhere = Caller(call.port, cast.other_host, call.headers)
    assert elsewhere("GET", USERS).status == 401
    bare = Caller(call.port, cast.host, {"Content-Type": "application/scim+json"})
    assert bare("GET", USERS).status == 401
    narrow = {"Authorization": f"Bearer {token(cast, 'engine.read')}"}
    assert Caller(call.port, cast.host, narrow)("GET", USERS).status == 403
    staff = {"Authorization": f"Bearer {token(cast, tenant=False)}", "Content-Type": "application/scim+json"}
    console = Caller(call.port, cast.partner_host, staff)
    key = call("POST", USERS, new()).body["id"]
    assert console("GET", f"{USERS}/{key}").status == 404
    assert console("POST", USERS, new("sara@cast.test")).status == 201
    assert Membership.objects.get(user__email="sara@cast.test").role == "partner_engineer"


def test_it_takes_over_nobody_who_belongs_elsewhere_too(call: Caller, cast: Cast) -> None:
    victim = cast.other_partner_admin
    key = call("POST", USERS, new(victim.email)).body["id"]
    rename = patch({"op": "replace", "value": {"displayName": "Owned", "active": True}})
    assert call("PATCH", f"{USERS}/{key}", rename).status == 200
    move = patch({"op": "replace", "path": 'emails[type eq "work"].value', "value": "evil@evil.test"})
    assert call("PATCH", f"{USERS}/{key}", move).status == 422
    victim.refresh_from_db()
    assert (victim.email, victim.name) == ("other_partner_admin@cast.test", "Lena Lumen")
    call("DELETE", f"{USERS}/{key}")
    assert Membership.objects.get(user=victim).partner_id == cast.other_partner.id


def test_the_last_admin_stays(call: Caller, cast: Cast) -> None:
    key = call("POST", USERS, new(cast.owner.email)).body["id"]
    assert ScimUser.objects.get().role == "tenant_admin"
    answer = call("PATCH", f"{USERS}/{key}", patch({"op": "replace", "path": "active", "value": False}))
    assert answer.status == 409
    assert ScimUser.objects.get().active is True
