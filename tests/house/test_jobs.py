"""Jobs are known where they are carried out: in a worker, which loads no page."""

import importlib
import json
import subprocess
import sys
from typing import Final

from deploy.local.home import ROOT
from kernel import jobs

ROOMS: Final = ("kernel", "tenants", "automations", "templates_lib", "billing", "portal")
_LOADED = """
import json, django
django.setup()
import portal.celery
portal.celery.app.loader.import_default_modules()
from kernel import jobs
print(json.dumps(sorted(jobs.registry)))
"""


def written() -> set[str]:
    """The name of every job in the source; here each module that holds one is loaded."""
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "\n@jobs.job(" in path.read_text()
    }
    for module in modules:
        importlib.import_module(module)
    return {name for name, job in jobs.registry.items() if job.body.__module__ in modules}


def test_a_worker_knows_every_job_there_is() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    known = set(json.loads(done.stdout.strip().splitlines()[-1]))
    assert {"accounts.link", "access.invite", "branding.recheck", "notices.send"} <= known
    assert known == written()
