"""The audit: mutations of a sealed log that are found, events verified offline and sealed in a second."""

import argparse
import json
import os
import sys
import time
from dataclasses import asdict

from bench import ground


def main() -> None:
    """Mutate a log `--n` times; with `--speed`, verify and seal as well. The last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1_000, help="mutations")
    parser.add_argument("--events", type=int, default=100_000, help="events to verify")
    parser.add_argument("--seal", type=int, default=0, help="events to record and seal in a database")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    sealing = _sealing(options.seal) if options.seal else {}
    if not options.seal:
        _settings_only()
    from bench import audit_mutations as log
    from kernel import proof

    whole = log.sealed(options.events, every=1_000)
    lines = log.lines(whole.entries)
    busy = time.process_time()
    report = proof.verify(lines, whole.keys, heads=whole.heads[-1:], complete=True)
    busy = time.process_time() - busy
    assert report.ok, report.findings
    outcome = log.mutate(options.n, seed=options.seed)
    for one in outcome.missed:
        print(one, file=sys.stderr)
    figures = asdict(outcome)
    figures["missed"] = len(outcome.missed)
    figures["events_per_second"] = round(report.events / report.seconds)
    figures["events_per_cpu_second"] = round(report.events / busy)
    print(json.dumps({"name": "audit", "seed": options.seed, **sealing, **figures}))
    if outcome.missed or outcome.found != outcome.mutations:
        raise SystemExit(1)


def _settings_only() -> None:
    """Models without a database."""
    import django

    for name in ("PORTAL_SECRET_KEY", "PORTAL_MASTER_KEY"):
        os.environ.setdefault(name, "a key for benchmarks, of no other use")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()


def _sealing(count: int) -> dict[str, float]:
    """Record, seal, export and verify `count` events in a database."""
    with ground.servers():
        ground.ready()
        from django.db import transaction

        from kernel import clock
        from kernel.actor import system
        from tenants.audit import actions
        from tenants.tenancy import context

        with context.enter(ground.tenant()):
            began = time.perf_counter()
            for _ in range(count // 100):
                with transaction.atomic():
                    for number in range(100):
                        actions.record(
                            actor=system("bench"),
                            action="bench.act",
                            obj=("thing", f"t-{number}", "Thing"),
                            now=clock.now(),
                            before={"state": "open", "n": number},
                            after={"state": "shut", "n": number + 1},
                        )
            recorded = time.perf_counter()
            while actions.seal(now=clock.now()):
                continue
            sealed = time.perf_counter()
            check = actions.verify_log(actor=system("bench"), now=clock.now())
            assert check.ok, check.findings
            verified = time.perf_counter()
    return {
        "recorded_per_second": round(count / (recorded - began)),
        "sealed_per_second": round(count / (sealed - recorded)),
        "verified_in_database_per_second": round(check.size / (verified - sealed)),
    }


if __name__ == "__main__":
    main()
