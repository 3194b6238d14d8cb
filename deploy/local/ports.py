"""Ports on the loopback: chosen free, remembered in the home, and told apart from taken ones."""

import errno
import socket

from deploy.local.errors import Refused
from deploy.local.home import Home, write_private

LOOPBACK = "127.0.0.1"


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now. Raises Refused where it never could."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # past connections in TIME_WAIT do not count
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise Refused(
                f"cannot listen on {host}:{port}: {(error.strerror or str(error)).lower()}"
            ) from None
    return True


def free_port() -> int:
    """A port on the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def remembered_port(home: Home, name: str) -> int:
    """The port that `name` had here before if it is still free, else a free one, remembered from now on."""
    path = home.run / f"{name}.port"
    before = path.read_text().strip() if path.exists() else ""
    if before.isdigit() and is_free(LOOPBACK, int(before)):
        return int(before)
    port = free_port()
    write_private(path, f"{port}\n")
    return port


def answers(port: int, question: bytes = b"", *, host: str = LOOPBACK, seconds: float = 0.5) -> bytes:
    """What `host:port` first says to `question`; empty if nothing listens or nothing comes in time."""
    try:
        with socket.create_connection((host, port), timeout=seconds) as line:
            line.sendall(question)
            return line.recv(512)
    except OSError:
        return b""
