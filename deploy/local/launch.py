"""Bringing the product up on one machine: settings, servers, migrations, sample content, processes."""

from collections.abc import Mapping
from typing import IO, Final

from deploy.local import ports, product, statics
from deploy.local.errors import Refused
from deploy.local.home import ROOT, Home
from deploy.local.ports import LOOPBACK
from deploy.local.postgres import Postgres
from deploy.local.servers import Server
from deploy.local.supervisor import Supervisor
from deploy.local.valkey import Valkey
from deploy.local.voice import Voice
from portal.env import Env

ESTATE_KEY: Final = "estate.key"
_SERVERS_SECONDS: Final = 120.0  # after a crash it includes recovery
_PROGRAMS_SECONDS: Final = 120.0


class Launch:
    """One start from `home` under the environment `environ`; `demo` adds the simulated estate."""

    def __init__(
        self, home: Home, environ: Mapping[str, str], *, demo: bool = False, tcp: bool = False
    ) -> None:
        self.home = home
        self._environ = dict(environ)
        self._fixed = {
            "PORTAL_HOME": str(home.path),
            "PORTAL_SECRET_KEY_FILE": str(home.key_file("secret.key")),
            "PORTAL_MASTER_KEY_FILE": str(home.key_file("master.key")),
        }
        self.env = Env.load({**self._fixed, **environ, "PORTAL_HOME": str(home.path)})
        self.demo = demo or self.env.demo
        self._estate_port = 0
        self._postgres = None if environ.get("PORTAL_DATABASE_URL") else Postgres(home, tcp=tcp)
        self._valkey = None if environ.get("PORTAL_REDIS_URL") else Valkey(home)

    @property
    def servers(self) -> list[Server]:
        """The built-in servers that are wanted: those for which no other was named."""
        return [one for one in (self._valkey, self._postgres) if one is not None]

    def supervisor(self, out: IO[str] | None = None) -> Supervisor:
        """The supervisor for this home, which speaks on `out` (default: standard output)."""
        return Supervisor(Voice(out), self.home.run / "state.json")

    def child_environ(self) -> dict[str, str]:
        """The environment of every process of the product."""
        egress = {"PORTAL_EGRESS_ALLOW": allowed} if (allowed := self._egress()) else {}
        return {
            "PYTHONUNBUFFERED": "1",
            **self.home.settings(),
            **self._environ,
            **egress,
            "PORTAL_HOME": str(self.home.path),
        }

    def require_port(self) -> None:
        """Raise Refused where the web server could not listen."""
        host, port = self.env.host, self.env.port
        if ports.is_free(host, port):
            return
        other = next(number for number in range(port + 1, 65_536) if ports.is_free(host, number))
        raise Refused(f"port {port} on {host} is taken; choose another, for example PORTAL_PORT={other}")

    def start_servers(self, supervisor: Supervisor) -> None:
        """Make what the servers need, write the settings that lead to them, start them and wait for them."""
        if self.servers:
            self.home.require_space()
        for server in self.servers:
            if server.prepare():
                supervisor.say(f"made a new database cluster, as user {self._account()}")
        if self._postgres is not None and self.home.path not in self._postgres.place.data.parents:
            data = self._postgres.place.data
            supervisor.say(f"user {self._account()} cannot enter {self.home.path}: the database is in {data}")
        old_egress = self._egress_without_estate()
        if self.demo:
            self._estate_port = ports.remembered_port(self.home, "estate")
        self.home.write_settings(self._settings(old_egress))
        supervisor.start(*self.servers)
        supervisor.wait_ready(_SERVERS_SECONDS)

    def bring_up(self, supervisor: Supervisor, *, seed: bool) -> None:
        """Start everything, servers first, and say where it is once all of it is ready."""
        self.start_servers(supervisor)
        environ = self.child_environ()
        if self.demo:
            key, state = self.home.key_file(ESTATE_KEY), self.home.path / "estate.state"
            supervisor.start(product.estate(self._estate_port, key, state, environ))
        if statics.are_stale(self.home.path):
            supervisor.say("collecting the static files: they are new here, or changed")
            supervisor.run_once(product.manage(*statics.COLLECT), name="static", env=environ, folder=ROOT)
            statics.mark_fresh(self.home.path)
        supervisor.run_once(product.manage("upgrade"), name="upgrade", env=environ, folder=ROOT)
        supervisor.start(*product.programs(self.env, environ))
        where = f"ready: http://{self.env.base_domain}:{self.env.port}"
        if seed:
            command = product.manage("seed_demo")
            where = supervisor.run_once(command, name="seed", env=environ, folder=ROOT, gather=True) or where
        supervisor.wait_ready(_PROGRAMS_SECONDS)
        supervisor.show(where)

    def _account(self) -> str:
        return self._postgres.place.account.name if self._postgres else ""

    def _settings(self, egress: str) -> dict[str, str]:
        """What `portal.env` is to say: where things are, and what this start was told about them."""
        own = {**self._fixed, **self._environ}
        estate = f"{LOOPBACK}:{self._estate_port}" if self._estate_port else ""
        return {
            "PORTAL_DATABASE_URL": self._postgres.url if self._postgres else own["PORTAL_DATABASE_URL"],
            "PORTAL_REDIS_URL": self._valkey.url if self._valkey else own["PORTAL_REDIS_URL"],
            "PORTAL_SECRET_KEY_FILE": own["PORTAL_SECRET_KEY_FILE"],
            "PORTAL_MASTER_KEY_FILE": own["PORTAL_MASTER_KEY_FILE"],
            "PORTAL_PORT": str(self.env.port),
            "PORTAL_EGRESS_ALLOW": ",".join(filter(None, (estate, egress))),
            "PORTAL_DEMO": "1" if self.demo else "0",
        }

    def _egress(self) -> str:
        return self.home.settings().get("PORTAL_EGRESS_ALLOW", "")

    def _egress_without_estate(self) -> str:
        """What operators opened, without the address that the estate had here before."""
        remembered = self.home.run / "estate.port"
        before = f"{LOOPBACK}:{remembered.read_text().strip()}" if remembered.exists() else ""
        return ",".join(one for one in self.env.egress_allow if one != before)
