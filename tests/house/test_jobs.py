"""Jobs are known where they are carried out: in a worker, which loads no page."""

import json
import subprocess
import sys

from django.urls import get_resolver

from deploy.local.home import ROOT
from kernel import jobs

_LOADED = """
import json, django
django.setup()
import portal.celery
portal.celery.app.loader.import_default_modules()
from kernel import jobs
print(json.dumps(sorted(jobs.registry)))
"""


def test_a_worker_knows_every_job_that_a_page_can_ask_for() -> None:
    for table in ("portal.urls_platform", "portal.urls_partner", "portal.urls_tenant"):
        assert get_resolver(table).url_patterns  # loads every page, and the jobs that stand beside them
    done = subprocess.run(
        [sys.executable, "-c", _LOADED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    known = set(json.loads(done.stdout.strip().splitlines()[-1]))
    assert {name for name in jobs.registry if not name.startswith("test")} - known == set()
    assert {"accounts.link", "access.invite", "notices.send"} <= known
