"""`python -m tests.recorded`: record anew, where the journal was changed on purpose. Say why in the commit."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from kernel import jsonx
from tests.recorded.recording import RECORDINGS, recorded

runs = list(recorded())
RECORDINGS.write_bytes(b"\n".join(jsonx.dumps(run) for run in runs) + b"\n")
print(f"{len(runs)} runs recorded in {RECORDINGS}")
