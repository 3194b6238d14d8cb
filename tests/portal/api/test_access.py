"""People, tokens, the audit, and who one is."""

from tenants.access.models import ApiToken, Membership
from tests.house.world import World
from tests.portal.api.conftest import Machine
from tests.support.cast import Cast


def test_a_token_is_told_what_it_may_do_here(cast: Cast, api: Machine, console: Machine) -> None:
    here, there = api.get("me").json(), console.get("me").json()
    assert here["id"].startswith("tok_")
    assert (here["place"]["tenant"], there["place"]["tenant"]) == ("hollis", "")
    assert "inbox.read" in here["permissions"]
    assert "tenancy.provision" in there["permissions"]


def test_somebody_is_let_in_changed_and_put_out(cast: Cast, api: Machine) -> None:
    made = api.post("people", {"email": "new@cast.test", "name": "Nora", "role": "analyst"}).json()
    assert (made["role"], made["email"]) == ("analyst", "new@cast.test")
    assert api("patch", f"people/{made['id']}", {"role": "reviewer"}).json()["role"] == "reviewer"
    assert api("delete", f"people/{made['id']}").status_code == 204
    assert api.get(f"people/{made['id']}").status_code == 404
    done = [one["action"] for one in api.get("audit").json()["items"][:4]]
    assert done == ["access.remove_member", "access.set_role", "access.invite", "access.add_member"]


def test_the_last_admin_stays(cast: Cast, api: Machine) -> None:
    owner = Membership.objects.get(user=cast.owner)
    for answer in (
        api("patch", f"people/{owner.public_id}", {"role": "analyst"}),
        api("delete", f"people/{owner.public_id}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")


def test_a_role_of_another_level_is_named(api: Machine) -> None:
    answer = api.post("people", {"email": "new@cast.test", "role": "partner_admin"})
    assert (answer.status_code, set(answer.json()["fields"])) == (400, {"role"})


def test_a_member_of_another_place_does_not_exist_here(cast: Cast, api: Machine, console: Machine) -> None:
    for user in (cast.other_owner, cast.other_partner_admin):
        row = Membership.objects.get(user=user)
        for desk in (api, console):
            assert desk("delete", f"people/{row.public_id}").status_code == 404
    staff = Membership.objects.get(user=cast.partner_admin)
    assert api.get(f"people/{staff.public_id}").status_code == 404


def test_a_token_is_shown_once(api: Machine) -> None:
    made = api.post("tokens", {"name": "bridge", "scopes": ["events.read"]}).json()
    assert made["token"].startswith("pat_")
    assert "token" not in api.get(f"tokens/{made['id']}").json()
    assert made["token"] not in api.get("tokens").content.decode()
    assert made["token"] not in api.get("audit").content.decode()
    assert api("delete", f"tokens/{made['id']}").status_code == 204
    assert ApiToken.objects.get(name="bridge").revoked_at is not None


def test_nobody_gives_a_scope_that_they_do_not_hold(api: Machine) -> None:
    for scope in ("tenancy.provision", "platform.partners", "nonsense"):
        answer = api.post("tokens", {"name": "x", "scopes": [scope]})
        assert answer.status_code == 400, scope
        assert any(name.startswith("scopes") for name in answer.json()["fields"])


def test_the_audit_says_who_and_from_where(cast: Cast, api: Machine, hollis: World) -> None:
    api.post("people", {"email": "new@cast.test", "role": "analyst"}, X_Request_Id="the-request-1")
    (one,) = api.get("audit?action=access.add_member&text=new%40cast.test").json()["items"]
    assert (one["actor_kind"], one["request_id"], one["address"]) == ("token", "the-request-1", "127.0.0.1")
    assert one["after"] == {"email": "new@cast.test", "role": "analyst"}
    assert one["actor_id"].startswith("tok_")
    assert api.get(f"audit/{one['id']}").json() == one


def test_a_console_reads_only_its_own_partner(cast: Cast, console: Machine) -> None:
    text = console.get("audit?limit=200").content.decode()
    assert "meridian" in text.lower()
    assert "lumen" not in text.lower()
    assert "Arbor" not in text
