"""What this machine can do at most, whatever the product does: `python -m bench.limits`, one JSON line each.

disk: flushes of a page to the disk a second, one after the other: a commit that is alone waits for one.
commits: durable commits of one small row a second, by 1 and by 16 connections, and Postgres' CPU for one.
rows: rows written a second where 64 share a statement and a commit, and Postgres' CPU for one.
json: reading and writing an order of 4 KB, alone and with compression, in microseconds.
calls: HTTP calls a second of one process to a stub that answers at once, 8 under way, and this process's CPU for one.
"""

import asyncio
import json
import os
import threading
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import aiohttp
import psycopg

from bench import ground
from bench.door import wait_for_web
from bench.engine import stub
from bench.jq_speed import order
from kernel import jsonx

SECONDS: Final = 3.0
TOGETHER: Final = 64
CALLS: Final = 4_000
_ONE: Final = "insert into limits (note) values (%s)"
_MANY: Final = "insert into limits (note) select unnest(%s::text[])"


def disk(home: Path) -> dict[str, Any]:
    """Pages written and flushed, one after the other."""
    count, until = 0, time.perf_counter() + SECONDS
    handle = os.open(home / "flushed", os.O_WRONLY | os.O_CREAT)
    try:
        while time.perf_counter() < until:
            os.pwrite(handle, b"\0" * 8192, 0)
            os.fdatasync(handle)
            count += 1
    finally:
        os.close(handle)
    return {"name": "disk", "flushes_per_second": round(count / SECONDS)}


def written(name: str, connections: int, statement: str, value: Any, rows: int) -> dict[str, Any]:
    """`statement` with `value` by several connections at once; it writes so many rows."""
    counts: list[int] = []

    def write() -> None:
        count, until = 0, time.perf_counter() + SECONDS
        with psycopg.connect(os.environ["PORTAL_DATABASE_URL"], autocommit=True) as connection:
            while time.perf_counter() < until:
                connection.execute(statement, [value], prepare=True)
                count += 1
        counts.append(count)

    meter = ground.Meter().start()
    threads = [threading.Thread(target=write) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    meter.stop()
    total = sum(counts)
    return {
        "name": name,
        "connections": connections,
        "commits_per_second": round(total / SECONDS),
        "rows_per_second": round(total * rows / SECONDS),
        "postgres_us_per_row": round(meter.postgres / total / rows * 1e6, 1),
    }


def values() -> dict[str, Any]:
    """An order as JSON: read, written, and both with what a row's column adds."""
    value = order()
    raw, packed = jsonx.dumps(value), jsonx.pack(value)

    def time_of(work: Callable[[], Any]) -> float:
        return round(min(timeit.repeat(work, number=2_000, repeat=5)) / 2_000 * 1e6, 1)

    return {
        "name": "json",
        "bytes": len(raw),
        "bytes_packed": len(packed),
        "read_us": time_of(lambda: jsonx.loads(raw)),
        "write_us": time_of(lambda: jsonx.dumps(value)),
        "unpack_us": time_of(lambda: jsonx.unpack(packed)),
        "pack_us": time_of(lambda: jsonx.pack(value)),
    }


async def calls(port: int) -> dict[str, Any]:
    """Bare POSTs of aiohttp, with nothing around them."""
    async with aiohttp.ClientSession() as session:

        async def some(count: int) -> None:
            for _ in range(count):
                async with session.post(f"http://127.0.0.1:{port}/stub/limits", json={"n": 1}) as answer:
                    await answer.read()

        await some(50)
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(some(CALLS // 8) for _ in range(8)))
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {
        "name": "calls",
        "calls_per_second": round(CALLS / wall),
        "cpu_us_per_call": round(cpu / CALLS * 1e6),
    }


def main() -> None:
    """Print one line a limit."""
    process, port = stub(0)
    try:
        with ground.servers() as home:
            ground.ready()
            from django.db import connection

            with connection.cursor() as cursor:
                cursor.execute("create table limits (id bigserial primary key, note text)")
            wait_for_web(port)
            found = [
                disk(home),
                written("commits", 1, _ONE, "one", 1),
                written("commits", 16, _ONE, "one", 1),
                written("rows", 2, _MANY, ["one of many"] * TOGETHER, TOGETHER),
                values(),
                asyncio.run(calls(port)),
            ]
        for line in found:
            print(json.dumps(line), flush=True)
    finally:
        process.kill()


if __name__ == "__main__":
    main()
