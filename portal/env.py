"""The typed environment: every setting of an installation, read once; a bad value stops the start and is named.

A value comes from the process environment, else from `portal.env` in the data folder (written by the local
launcher), else from the default below. A secret may be given as `NAME_FILE`, the path of a file that holds it.
"""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

ROOT: Final = Path(__file__).resolve().parent.parent

SERVING: Final = "SERVING_PORTAL"
"""Set by the web server in its own process: its requests may go through a pool, other work needs sessions."""


class BadSetting(SystemExit):
    """Stops the start with one line that names the variable."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem} (see .env.example)")


def _boolean(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("must be 1 or 0")


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65_535:
        raise ValueError("must be a port from 1 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ValueError("must be a whole number from 1 on")
    return int(text)


def _days(text: str) -> int:
    if not text.isdigit() or not (text == "0" or 7 <= int(text) <= 36_500):
        raise ValueError("must be a number of days from 7 on, or 0 for ever")
    return int(text)


def _hold(text: str) -> int:
    if not text.isdigit() or int(text) > 365:
        raise ValueError("must be a number of days from 0 to 365")
    return int(text)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _host_ports(text: str) -> tuple[str, ...]:
    for word in _words(text):
        host, _, port = word.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"{word!r} is not of the form host:port")
    return _words(text)


def _level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
    return text.upper()


def _database(text: str) -> dict[str, Any]:
    parts = urlsplit(text)
    options = dict(parse_qsl(parts.query))
    if parts.scheme not in ("postgres", "postgresql"):
        raise ValueError("must start with postgresql://")
    if not parts.path.strip("/"):
        raise ValueError("must name a database, as in postgresql://user:password@host:5432/portal")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("has a port that is not a number") from None
    found: dict[str, Any] = {
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or options.pop("user", "")),
        "PASSWORD": unquote(parts.password or options.pop("password", "")),
        "HOST": parts.hostname or options.pop("host", ""),
        "PORT": str(port or options.pop("port", "")),
    }
    if options:
        found["OPTIONS"] = options
    return found


def _pool(text: str) -> dict[str, Any]:
    return _database(text) if text else {}


def _redis(text: str) -> str:
    if urlsplit(text).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("must start with redis://, rediss:// or unix://")
    return text


def _key(text: str) -> str:
    if len(text) < 32:
        raise ValueError("must have at least 32 characters")
    return text


def _keys(text: str) -> str:
    for line in text.splitlines():
        _key(line.strip())
    return text


def _web(text: str) -> str:
    if text and urlsplit(text).scheme not in ("http", "https"):
        raise ValueError("must start with https:// or http://")
    return text


def _file(text: str) -> str:
    if text and not Path(text).is_file():
        raise ValueError("must be the path of a file")
    return text


@dataclass(frozen=True)
class Env:
    """What an installation is told. Names and defaults are documented in `.env.example`."""

    home: Path
    serving: bool
    database: dict[str, Any]
    database_pool: dict[str, Any]
    redis_url: str
    secret_key: str
    master_keys: str
    master_key_file: Path | None
    vault_address: str
    vault_key: str
    vault_token: str
    audit_key_file: Path
    debug: bool
    https: bool
    host: str
    port: int
    base_domain: str
    web_workers: int
    worker_children: int
    keep_data_days: int
    keep_runs_days: int
    delete_hold_days: int
    backup_days: int
    egress_allow: tuple[str, ...]
    breached_file: str
    dns_servers: tuple[str, ...]
    log_level: str
    log_json: bool
    sentry_dsn: str
    email_url: str
    email_from: str
    demo: bool

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> "Env":
        """Read the environment. Raises BadSetting, which ends the process with one line."""
        source = dict(os.environ if environ is None else environ)
        home = Path(source.get("PORTAL_HOME") or ROOT / "var").expanduser().resolve()
        for name, value in _file_values(home / "portal.env").items():
            source.setdefault(name, value)
        reader = _Reader(source)
        found = cls(
            home=home,
            serving=source.get(SERVING) == "1",
            database=reader.get("DATABASE_URL", _database, "postgresql:///portal"),
            database_pool=reader.get("DATABASE_POOL_URL", _pool, ""),
            redis_url=reader.get("REDIS_URL", _redis, "redis://127.0.0.1:6379/0"),
            secret_key=reader.secret("SECRET_KEY", _key),
            master_keys=reader.secret("MASTER_KEY", _keys),
            master_key_file=reader.file_of("MASTER_KEY"),
            vault_address=reader.get("VAULT_ADDRESS", _web, ""),
            vault_key=reader.get("VAULT_KEY", str, "portal"),
            vault_token=reader.secret("VAULT_TOKEN", str, ""),
            audit_key_file=home / reader.get("AUDIT_KEY_FILE", str, "keys/audit.key"),
            debug=reader.get("DEBUG", _boolean, "0"),
            https=reader.get("HTTPS", _boolean, "0"),
            host=reader.get("HOST", str, "127.0.0.1"),
            port=reader.get("PORT", _port, "8000"),
            base_domain=reader.get("BASE_DOMAIN", str, "localhost"),
            web_workers=reader.get("WEB_WORKERS", _count, "2"),
            worker_children=reader.get("WORKER_CHILDREN", _count, "2"),
            keep_data_days=reader.get("KEEP_DATA_DAYS", _days, "90"),
            keep_runs_days=reader.get("KEEP_RUNS_DAYS", _days, "400"),
            delete_hold_days=reader.get("DELETE_HOLD_DAYS", _hold, "30"),
            backup_days=reader.get("BACKUP_DAYS", _hold, "35"),
            egress_allow=reader.get("EGRESS_ALLOW", _host_ports, ""),
            breached_file=reader.get("BREACHED_FILE", _file, ""),
            dns_servers=reader.get("DNS_SERVERS", _host_ports, ""),
            log_level=reader.get("LOG_LEVEL", _level, "INFO"),
            log_json=reader.get("LOG_JSON", _boolean, "0"),
            sentry_dsn=reader.get("SENTRY_DSN", str, ""),
            email_url=reader.get("EMAIL_URL", str, "file:"),
            email_from=reader.get("EMAIL_FROM", str, "portal@localhost"),
            demo=reader.get("DEMO", _boolean, "0"),
        )
        reader.refuse_unknown({"PORTAL_HOME"})
        return found


class _Reader:
    """Reads `PORTAL_*` names and remembers which it knows."""

    def __init__(self, source: Mapping[str, str]) -> None:
        self._source = source
        self._known: set[str] = set()

    def get(self, name: str, parse: Any, default: str) -> Any:
        full = f"PORTAL_{name}"
        self._known.add(full)
        return self._parsed(full, parse, self._source.get(full, "") or default)

    def secret(self, name: str, parse: Any, default: str | None = None) -> Any:
        full = f"PORTAL_{name}"
        self._known |= {full, f"{full}_FILE"}
        value = self._source.get(full, "")
        path = self._source.get(f"{full}_FILE", "")
        if not value and path:
            try:
                value = Path(path).read_text().strip()
            except OSError as error:
                raise BadSetting(f"{full}_FILE", f"cannot be read: {error.strerror}") from None
        if not value and default is not None:
            return default
        if not value:
            raise BadSetting(full, "is not set; `make demo` makes one, a server gets its own")
        return self._parsed(full, parse, value)

    def file_of(self, name: str) -> Path | None:
        """The file that a secret was read from; None where the setting itself holds it."""
        path = self._source.get(f"PORTAL_{name}_FILE", "")
        return Path(path) if path and not self._source.get(f"PORTAL_{name}") else None

    def refuse_unknown(self, more: set[str]) -> None:
        """A mistyped name is an error, not a setting that does nothing."""
        for name in self._source:
            if name.startswith("PORTAL_") and name not in self._known | more:
                near = difflib.get_close_matches(name, self._known | more, n=1)
                raise BadSetting(name, f"is no setting{f'; did you mean {near[0]}?' if near else ''}")

    @staticmethod
    def _parsed(full: str, parse: Any, text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise BadSetting(full, str(error)) from None


def _file_values(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}
