"""The product with a fault built in: what a harness is worth shows when the product is broken and it turns red.

Python imports this module at start where its folder is on PYTHONPATH. `CHAOS_MUTANTS` names the changes; each replaces
text of one module as it is loaded. A text that is not there stops the process: the product changed, the mutant has to
follow.
"""

import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Sequence
from types import CodeType, ModuleType

_CLAIM = "automations.engine.store.claim"
_COMMIT = "automations.engine.store.commit"
_SEND = "        return await http.send(self._client, effect, connection)\n"
_ANOTHER_KEY = """
        import dataclasses, uuid
        effect = dataclasses.replace(effect, key=f'{effect.key}-{uuid.uuid4()}')
"""
_STORE = "            taken = await self._patiently([delivery for delivery, _ in together])\n"
_STORE_LATER = """
            async def later(deliveries):
                await asyncio.sleep(1)
                await self._patiently(deliveries)
            taken = [True] * len(together)
            self.kept = [*getattr(self, "kept", [])[-9:], asyncio.create_task(later([one for one, _ in together]))]
"""
MUTANTS: dict[str, tuple[str, str, str]] = {
    # a worker that lost its lease writes all the same
    "no_epoch_check": (
        _COMMIT,
        "ok as (select * from gone union all select * from kept)",
        "ok as (select id as run_id, 0 as signal from i)",
    ),
    # nobody rings when a ring was lost
    "no_ring_again": ("automations.ledger.tasks", "            self._call_drains()\n", "            pass\n"),
    # each try has a key of its own
    "key_per_attempt": ("automations.engine.actions.effects", _SEND, _ANOTHER_KEY + _SEND),
    # leases by the clock of a worker that is a minute late: they are over before they begin
    "lease_by_worker_clock": (
        _CLAIM,
        "lease_until = clock_timestamp() + make_interval(secs => %(lease)s)",
        "lease_until = clock_timestamp() + make_interval(secs => %(lease)s - 60)",
    ),
    # 202 is said, and the event is written a moment later
    "acknowledge_before_commit": ("automations.events.actions.express", _STORE, _STORE_LATER),
}


def _wanted() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for name in filter(None, os.environ.get("CHAOS_MUTANTS", "").split(",")):
        module, old, new = MUTANTS.get(name, (_CLAIM, "LEASE_SECONDS: Final = 30", ""))
        if name.startswith("lease="):
            new = f"LEASE_SECONDS: Final = {int(name.removeprefix('lease='))}"
        found.setdefault(module, []).append((old, new))
    return found


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module with its text changed; never from a cache, and never into one."""

    def __init__(self, name: str, path: str, changes: list[tuple[str, str]]) -> None:
        super().__init__(name, path)
        self._changes = changes

    def get_code(self, fullname: str) -> CodeType:
        """The changed module, compiled."""
        text = self.get_data(self.path).decode()
        for old, new in self._changes:
            if old not in text:
                raise SystemExit(f"mutant: {fullname} does not hold {old!r} any more")
            text = text.replace(old, new)
        return compile(text, self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules that are to be changed before anybody else does."""

    def __init__(self, wanted: dict[str, list[tuple[str, str]]]) -> None:
        self._wanted = wanted

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's spec with our loader."""
        if fullname not in self._wanted:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin, self._wanted[fullname])
        return spec


if os.environ.get("CHAOS_MUTANTS"):
    sys.meta_path.insert(0, _Finder(_wanted()))
