"""`python -m deploy.estate --port 9100 --seed 7`."""

import argparse
import logging
import sys
from pathlib import Path

import uvloop
from aiohttp import web

from deploy.estate.server import Estate, build

DEFAULT_KEY = "estate-demo-key"


def main() -> int:
    """Serve until told to end; 1 and one line if the port is taken or the key cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m deploy.estate", description="A simulated shop and ERP.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0, help="the same orders for the same seed")
    parser.add_argument("--first-number", type=int, default=10_001, help="number of the first order")
    parser.add_argument("--latency-ms", type=float, default=0, help="waiting time before every answer")
    parser.add_argument(
        "--key-file", type=Path, help=f"file with the ERP's key (default: the key {DEFAULT_KEY!r})"
    )
    parser.add_argument("--state-file", type=Path, help="file that keeps books and feeds over a restart")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        key = asked.key_file.read_text().strip() if asked.key_file else DEFAULT_KEY
        estate = Estate(
            key=key,
            seed=asked.seed,
            latency_seconds=asked.latency_ms / 1000,
            first_number=asked.first_number,
            state_file=asked.state_file,
        )
        web.run_app(
            build(estate),
            host=asked.host,
            port=asked.port,
            access_log=None,
            print=None,
            loop=uvloop.new_event_loop(),
            shutdown_timeout=2,
        )
    except OSError as error:
        print(f"estate: {(error.strerror or str(error)).lower()}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
