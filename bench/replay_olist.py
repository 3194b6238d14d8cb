"""`make replay-olist`: a year of real orders through the door of a fresh sandbox tenant, compared with the truth file.

Needs a running demo (found by PORTAL_HOME). Prints one JSON line last; ends with 1 on any difference: a key figure that
is not the truth file's to 4 decimals, or a number of cases or runs that is not the independent count's.
"""

import io
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("REPLAY_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


def main() -> int:
    """Make a tenant, replay, compare."""
    folder, truth_file = DATA / "olist10k", DATA / "olist10k_truth.json"
    if not folder.is_dir():
        print(
            f"the data set is not here: {folder} (set REPLAY_DATA to the folder that holds it)",
            file=sys.stderr,
        )
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    import django

    django.setup()
    from django.conf import settings

    with socket.socket() as probe:
        if probe.connect_ex((settings.ENV.host, settings.PORTAL_PORT)) != 0:
            print(
                f"no portal answers on port {settings.PORTAL_PORT}; start it with make demo", file=sys.stderr
            )
            return 2
    tenant = sandbox()
    replay = json.loads(command("replay", "olist", str(folder), tenant=tenant).splitlines()[-1])
    figures = json.loads(command("kpi", tenant=tenant, json=True, shape="olist10k"))
    differences = _differences(json.loads(truth_file.read_text()), figures, "")
    for what, numbers in _independent(folder).items():
        counted = replay[what]
        # a kind that only one side knows is a difference, unless it counts none of it
        every = dict.fromkeys([*numbers, *counted], 0)
        differences += _differences({**every, **numbers}, {**every, **counted}, what)
    for difference in differences:
        print(difference, file=sys.stderr)
    print(json.dumps({**replay, "name": "replay_olist", "tenant": tenant, "differences": len(differences)}))
    return 1 if differences else 0


def sandbox() -> str:
    """A fresh sandbox tenant with Order watch, made as every tenant is made; its name."""
    from kernel import clock, jobs
    from kernel.actor import system
    from templates_lib.actions.installing import install
    from templates_lib.models import TemplateVersion
    from templates_lib.queries import defaults
    from tenants.tenancy import actions, queries
    from tenants.tenancy.models import Partner

    me = system("replay")
    partner = Partner.objects.order_by("created_at").first()
    if partner is None:
        raise SystemExit("there is no partner here; run make demo first")
    slug = f"olist-{int(time.time())}"
    with jobs.recorded():
        job = actions.request_tenant(
            partner=partner, name="Olist", slug=slug, currency="BRL", sandbox=True, actor=me, now=clock.now()
        )
        job = actions.provision(job_id=job.id, now=clock.now())
    if job.error:
        raise SystemExit(job.error)
    tenant = queries.tenant_ref(job.tenant_id)
    begin = clock.parse_rfc3339("2016-01-01T00:00:00Z")
    actions.advance_clock(tenant_id=tenant.id, to=begin, actor=me, now=clock.now())
    version = TemplateVersion.objects.filter(slug="order-watch").order_by("-published_at")[0]
    config = defaults(version.input_schema)
    install(version=version, tenant=tenant, config=config, connections={}, actor=me, now=clock.now())
    return f"{partner.slug}/{slug}"


def command(name: str, *arguments: str, **options: Any) -> str:
    """What a management command prints."""
    from django.core.management import call_command

    out = io.StringIO()
    call_command(name, *arguments, stdout=out, **options)
    return out.getvalue()


def _differences(truth: Any, found: Any, path: str) -> list[str]:
    """Where `found` differs from `truth`, numbers to 4 decimals."""
    if isinstance(truth, dict):
        if not isinstance(found, dict):
            return [f"{path}: {found!r}, not an object"]
        missing = [f"{path}/{key}: missing" for key in truth.keys() - found.keys()]
        return missing + [
            line
            for key in truth.keys() & found.keys()
            for line in _differences(truth[key], found[key], f"{path}/{key}")
        ]
    same = (
        abs(truth - found) < 0.00005
        if isinstance(truth, (int, float)) and found is not None
        else truth == found
    )
    return [] if same else [f"{path}: {found}, not {truth}"]


def _independent(folder: Path) -> dict[str, dict[str, int]]:
    """How many cases and runs there must be, by kind and by status, under their names in the replay's line."""
    from bench import olist_cases

    cases = {kind: entry["opened"] for kind, entry in olist_cases.count(folder).items()}
    return {"cases_by_kind": cases, "runs_by_status": olist_cases.runs(folder)}


if __name__ == "__main__":
    sys.exit(main())
