"""Pages: what a client's overview, inbox and runs cost the server when the client has 10,000 orders.

One of the runs has 10,000 steps.

The product as a user starts it, a sandbox tenant with the replayed data set, a person signed in by the form, and
requests one after the other over one connection. Times are from the request to the last byte of the answer, on the same
machine; CPU is that of the web server and PostgreSQL.
"""

import argparse
import http.client
import json
import re
import sys
import tempfile
import time
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from bench import ground, replay_olist
from bench.chaos.stage import product

_TOKEN: Final = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_PASSWORD: Final = "a long pass phrase of the bench"
PAGES: Final = {
    "overview": "/overview/?period=all",
    "overview_quarter": "/overview/?period=90",
    "figure": "/figures/late_delivery_rate/?period=all",
    "inbox": "/inbox/",
    "inbox_closed": "/inbox/?state=closed",
    "runs": "/runs/",
    "orders": "/orders/",
}


class Browser:
    """One connection, with cookies."""

    def __init__(self, port: int, host: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._host, self._cookies = host, SimpleCookie[str]()

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """(status, body) of an answer."""
        headers = {"Host": self._host, "Accept-Encoding": "identity"}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={one.value}" for name, one in self._cookies.items())
        if form is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{self._host}"}
        self._connection.request(method, path, urlencode(form) if form is not None else None, headers)
        answer = self._connection.getresponse()
        body = answer.read().decode()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                self._cookies.load(value)
        return answer.status, body

    def sign_in(self, email: str) -> None:
        """By the form, as everybody does."""
        _, text = self.ask("GET", "/sign-in")
        found = _TOKEN.search(text)
        form = {"csrfmiddlewaretoken": found[1] if found else "", "email": email, "password": _PASSWORD}
        status, text = self.ask("POST", "/sign-in", form)
        if status != 302:
            raise SystemExit(f"sign-in answered {status}: {text[:500]}")


def main() -> int:
    """Replay, sign in, and print a line a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100)
    options = parser.parse_args()
    if not (replay_olist.DATA / "olist10k").is_dir():
        print(f"the data set is not here: {replay_olist.DATA} (set REPLAY_DATA)", file=sys.stderr)
        return 2
    log = Path(tempfile.mkstemp(prefix="portal-pages-", suffix=".log")[1])
    with product(9, "", log) as stage:
        browser, long = _furnish(stage.port)
        pages = {
            **PAGES,
            "run": f"/runs/{long}/",
            "run_middle": f"/runs/{long}/?before=5000",
            "run_problems": f"/runs/{long}/?show=problems",
        }
        for name, path in pages.items():
            print(json.dumps(_measured(browser, name, path, options.requests)), flush=True)
    return 0


def _furnish(port: int) -> tuple[Browser, str]:
    """Somebody who is signed in to a client with much to show, and the public id of a long run."""
    import django

    django.setup()
    from kernel import clock
    from kernel.actor import system
    from tenants.access import actions as access
    from tenants.access.enums import Role
    from tenants.tenancy import queries
    from tenants.tenancy.models import Partner, Tenant

    ground.tenant("first")
    name = replay_olist.sandbox()
    replay_olist.command("replay", "olist", str(replay_olist.DATA / "olist10k"), tenant=name)
    tenant = Tenant.objects.get(slug=name.rsplit("/", 1)[1])
    by = system("bench")
    member = access.add_member(
        partner=Partner.objects.get(pk=tenant.partner_id),
        tenant=tenant,
        email="reader@bench.test",
        name="Reader",
        role=Role.TENANT_ADMIN,
        actor=by,
        now=clock.now(),
    )
    access.set_password(user=member.user, password=_PASSWORD, actor=by, now=clock.now())
    host = queries.primary_host(partner_id=tenant.partner_id, tenant_id=tenant.id)
    browser = Browser(port, f"{host}:{port}")
    browser.sign_in("reader@bench.test")
    return browser, _long_run(queries.tenant_ref(tenant.id))


def _long_run(tenant: Any) -> str:
    """A run over ten thousand items, carried by the product's workers."""
    from automations.engine.actions.intake import new_run
    from automations.engine.actions.programs import programs
    from automations.engine.models import Run
    from automations.engine.store import intake
    from bench.clockwork import ITEMS, LOOP
    from bench.engine import order, publish
    from kernel import clock
    from tenants.tenancy import context

    definition = publish(tenant, LOOP)
    program = programs.compiled(definition.id, definition.document)
    lines = order()["items"]
    with context.enter(tenant):
        one = new_run(
            workflow_id=definition.workflow_id,
            definition_id=definition.id,
            program=program,
            given=[{"lines": [lines[n % len(lines)] for n in range(ITEMS)]}],
            cause="test",
            started_at=clock.now(),
        )
        intake.start(tenant.id, [one])
        for _ in range(300):
            run = Run.objects.get(id=one.id)
            if run.status == "completed":
                return run.public_id
            time.sleep(0.2)
    raise SystemExit(f"the long run is {run.status}: {run.error}")


def _measured(browser: Browser, name: str, path: str, count: int) -> dict[str, Any]:
    for _ in range(5):
        status, body = browser.ask("GET", path)
        if status != 200:
            raise SystemExit(f"{path} answered {status}")
    web = ground.processes("granian")
    before, meter, times = ground.cpu(web), ground.Meter().start(), []
    for _ in range(count):
        began = time.perf_counter()
        browser.ask("GET", path)
        times.append((time.perf_counter() - began) * 1e3)
    meter.stop()
    times.sort()
    return {
        "name": f"page_{name}",
        "p50_ms": round(times[count // 2], 1),
        "p95_ms": round(times[int(count * 0.95)], 1),
        "kb": round(len(body.encode()) / 1024, 1),
        "cpu_ms": {
            "web": round((ground.cpu(web) - before) / count * 1e3, 1),
            "postgres": round(meter.postgres / count * 1e3, 1),
        },
    }


if __name__ == "__main__":
    sys.exit(main())
