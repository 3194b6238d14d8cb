"""Provisioning: from the request to a client that works, by the path that the console takes."""

import argparse
import json
import statistics
import time

from bench import ground


def main() -> None:
    """Make clients one after the other and print how long each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40)
    options = parser.parse_args()
    with ground.servers():
        ground.ready()
        ground.tenant("first")
        meter = ground.Meter().start()
        seconds = []
        for number in range(options.count):
            began = time.perf_counter()
            ground.tenant(f"client-{number}")
            seconds.append(time.perf_counter() - began)
        meter.stop()
    cuts = statistics.quantiles(seconds, n=20)
    print(
        json.dumps(
            {
                "name": "provisioning",
                "tenants": options.count,
                "p50_s": round(statistics.median(seconds), 3),
                "p95_s": round(cuts[-1], 3),
                "max_s": round(max(seconds), 3),
                "postgres_cpu_ms": round(meter.postgres / options.count * 1e3, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
