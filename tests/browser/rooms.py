"""Pages about people, rights, signing in, secrets, proof and names, with something in them, at a client and in the console."""

from typing import Any

from tenants.tenancy.models import Tenant
from tests.house import world
from tests.support.cast import Cast

ZEPHYR, BEXHILL = "Zephyr", "Bexhill"


def _shared(ids: dict[str, str]) -> list[str]:
    """What a client and a partner's console both have."""
    role, duty, review = f"/roles/{ids['own_role']}/", f"/duties/{ids['duty']}/", f"/reviews/{ids['review']}/"
    provider, member = f"/signing-in/providers/{ids['provider']}", f"/people/{ids['member']}/"
    return [
        "/people/", f"{member}role", f"{member}remove", "/roles/", "/roles/new", role, f"{role}remove", "/duties/new",
        f"{duty}remove", "/why/", f"/why/?person={ids['user']}&right=audit.read", "/reviews/", review, f"{review}sign",
        "/signing-in/", "/signing-in/providers/new", provider, f"{provider}/remove", "/support/", "/tokens/", "/tokens/new",
        f"/tokens/{ids['token']}/revoke", "/audit/", "/audit/proof/", "/audit/streams/", "/audit/streams/new",
        f"/audit/streams/{ids['stream']}/remove", "/profile", "/profile/protection/", "/profile/protection/app",
        "/profile/protection/passkey", "/profile/confirm", "/profile/sessions/", "/usage/",
    ]  # fmt: skip


def of_client(cast: Cast) -> list[str]:
    """The addresses in Hollis."""
    ids = world.of_tenant(cast.tenant, ZEPHYR, times=2).ids
    channel, table = f"/notifications/channels/{ids['channel']}/", f"/tables/{ids['table']}/"
    return [
        *_shared(ids), f"/people/{ids['member']}/scope", f"/audit/{ids['entry']}/erase", "/settings/", "/settings/secrets/",
        "/notifications/", "/notifications/rules", "/notifications/channels/", "/notifications/channels/new/", channel,
        f"{channel}remove", "/tables/", "/tables/new/", table, f"{table}publish", f"/inbox/{ids['case']}/", "/inbox/views/",
        "/inbox/views/late-ones/", "/tasks/", "/search/?q=Zephyr", "/help/", f"/connections/{ids['connection']}/",
        f"/endpoints/{ids['endpoint']}/",
    ]  # fmt: skip


def of_console(cast: Cast) -> list[str]:
    """The addresses in the console of Hollis's partner; after `of_client`."""
    ids = world.of_partner(cast.partner.id, BEXHILL, times=2).ids
    client = _client(cast)
    return [
        *_shared(ids), "/clients/", "/clients/deleted/", "/clients/pause/paused", "/clients/new/business/",
        f"{client}pause/paused", f"{client}state/suspended", f"{client}state/archived", f"/usage/{client.split('/')[2]}/plan",
        "/branding/", "/branding/domains/", f"/branding/domains/{ids['domain']}/release", "/templates/", "/search/?q=Bexhill",
    ]  # fmt: skip


def _client(cast: Cast) -> str:
    return f"/clients/{Tenant.objects.get(pk=cast.tenant.id).public_id}/"


def places(cast: Cast) -> list[tuple[str, Any, list[str]]]:
    """(host, who, addresses) of all of them."""
    client = of_client(cast)
    return [(cast.host, cast.owner, client), (cast.partner_host, cast.partner_admin, of_console(cast))]
