"""The one way to ask for names: text records, from the servers of the machine or those that an operator names."""

from collections.abc import Sequence
from typing import Final

import dns.exception
import dns.resolver

from kernel.errors import PortalError

SECONDS: Final = 5.0


class NameServersSilent(PortalError):
    """The name servers did not answer."""

    code = "name_servers_silent"
    status = 502
    benign = True


def texts(name: str, servers: Sequence[str] = ()) -> list[str]:
    """The text records of `name`, none where it has none; `servers` are `host:port`. Raises NameServersSilent."""
    resolver = dns.resolver.Resolver(configure=not servers)
    if servers:
        resolver.nameservers = [server.rpartition(":")[0] for server in servers]
        resolver.nameserver_ports = {
            server.rpartition(":")[0]: int(server.rpartition(":")[2]) for server in servers
        }
    resolver.cache = None
    try:
        found = resolver.resolve(name, "TXT", lifetime=SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise NameServersSilent(
            f"the name servers did not answer for {name}: {type(error).__name__}"
        ) from error
    return [b"".join(record.strings).decode("utf-8", "replace") for record in found]
