"""A name server on loopback for tests: it says what `say` told it, and of everything else that there is no such name."""

import socket
import threading
from typing import Final

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from django.conf import settings

_records: Final[dict[str, list[str]]] = {}
_asked: Final[list[str]] = []
_started: Final[list[socket.socket]] = []


def start() -> None:
    """Serve from now on, for the rest of the process, and let the portal ask here."""
    if not _started:
        door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        door.bind(("127.0.0.1", 0))
        _started.append(door)
        threading.Thread(target=_serve, args=(door,), daemon=True).start()
    settings.DNS_SERVERS = (f"127.0.0.1:{_started[0].getsockname()[1]}",)


def say(name: str, *texts: str) -> None:
    """From now on `name` has these text records; without any it has none."""
    start()
    _records[name] = list(texts)


def asked() -> list[str]:
    """Every name that was asked for."""
    return _asked


def _serve(door: socket.socket) -> None:
    while True:
        wire, sender = door.recvfrom(4_096)
        query = dns.message.from_wire(wire)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        _asked.append(name)
        if _records.get(name):
            quoted = [f'"{text}"' for text in _records[name]]
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "TXT", *quoted))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        door.sendto(answer.to_wire(), sender)
