"""Keys that change: 10,000 secrets of a tenant under another data key, 10,000 data keys under another master key."""

import argparse
import json
import threading
import time
from pathlib import Path
from typing import Any

from bench import ground


def main() -> None:
    """Rotate both keys while callers open connections all the time; one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    options = parser.parse_args()
    with ground.servers() as home:
        ground.ready()
        _key_file(home)
        ref = ground.tenant()
        rows = _connections(ref, options.count)
        callers = Callers(ref, rows[:50])
        began = time.perf_counter()
        sealed = _data_key(ref)
        data_seconds = time.perf_counter() - began
        _data_keys(options.count)
        began = time.perf_counter()
        wrapped = _master_key()
        master_seconds = time.perf_counter() - began
        callers.end()
    print(
        json.dumps(
            {
                "name": "secrets",
                "secrets": sealed,
                "data_key_s": round(data_seconds, 1),
                "data_keys": wrapped,
                "master_key_s": round(master_seconds, 1),
                "opened_meanwhile": callers.opened,
                "failed_meanwhile": len(callers.wrong),
                "slowest_open_ms": round(callers.slowest * 1e3),
            }
        )
    )
    if callers.wrong:
        raise SystemExit(callers.wrong[0])


def _key_file(home: Path) -> None:
    from django.conf import settings

    settings.MASTER_KEY_FILE = home / "master.key"
    settings.MASTER_KEY_FILE.write_text(settings.MASTER_KEYS + "\n")


def _connections(ref: Any, count: int) -> list[Any]:
    from automations.connectors.models import Connection
    from kernel import clock, ids, secrets
    from tenants.tenancy import context

    with context.enter(ref):
        keys = [ids.uuid7() for _ in range(count)]
        Connection.objects.bulk_create(
            Connection(
                id=key,
                name=str(key),
                connector="erp",
                auth="bearer",
                settings={"base_url": "https://erp.example.com"},
                secret=secrets.keep(f"secret {key}".encode(), row=key, version=1, purpose="connection"),
                secret_version=1,
                created_at=clock.now(),
            )
            for key in keys
        )
    return keys


def _data_keys(count: int) -> None:
    """As many data keys as many tenants would have."""
    from kernel import clock, secrets
    from tenants.tenancy.models import DataKey
    from tenants.vault import policy

    DataKey.objects.bulk_create(
        DataKey(version=10 + n, wrapped=policy.wrap(secrets.new_key(), None, 10 + n), created_at=clock.now())
        for n in range(count)
    )


def _data_key(ref: Any) -> int:
    from kernel import clock, jobs
    from kernel.actor import system
    from tenants.tenancy.models import Tenant
    from tenants.vault import actions

    with jobs.recorded():
        actions.rotate_data_key(tenant=Tenant.objects.get(pk=ref.id), actor=system("bench"), now=clock.now())
    return actions.reseal(tenant_id=ref.id, now=clock.now())


def _master_key() -> int:
    from kernel import clock
    from kernel.actor import system
    from tenants.vault import actions

    return actions.rotate_master_key(actor=system("bench"), now=clock.now())


class Callers:
    """Two threads that open connections as running workflows do, until they are told to end."""

    def __init__(self, ref: Any, rows: list[Any]) -> None:
        self.ref, self.rows = ref, rows
        self.opened, self.slowest = 0, 0.0
        self.wrong: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(2)]
        for thread in self._threads:
            thread.start()

    def _call(self) -> None:
        from django.db import connection

        from tenants.tenancy import context

        try:
            with context.enter(self.ref):
                while not self._stop.is_set():
                    for key in self.rows:
                        self._open(key)
        except Exception as error:
            self.wrong.append(repr(error))
        finally:
            connection.close()

    def _open(self, key: Any) -> None:
        from automations.connectors import actions as connectors
        from kernel import clock

        began = time.perf_counter()
        found = connectors.open_connection(key, now=clock.now()).headers()["Authorization"]
        self.slowest = max(self.slowest, time.perf_counter() - began)
        self.opened += 1
        if found != f"Bearer secret {key}":
            self.wrong.append(found)

    def end(self) -> None:
        """Stop calling."""
        self._stop.set()
        for thread in self._threads:
            thread.join()


if __name__ == "__main__":
    main()
