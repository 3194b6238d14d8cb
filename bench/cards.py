"""What looking for card numbers costs on what comes in: `python -m bench.cards`, one JSON line each, in microseconds.

Bodies of about 4 KB: an order without any long number, one full of ids that look alike, and one with a card in it.
"""

import json
import timeit
from typing import Any

from bench.jq_speed import order
from kernel import cards, jsonx

TIMES = 2_000


def bodies() -> dict[str, Any]:
    """What is looked through."""
    plain = order()
    ids = {
        **plain,
        "items": [{**one, "variant": f"9{number:015}"} for number, one in enumerate(plain["items"])],
    }
    return {
        "order": plain,
        "order with ids": ids,
        "order with a card": {**plain, "paid": "4111 1111 1111 1111"},
    }


def main() -> None:
    """Time each; beside it what reading and writing the same body as JSON costs."""
    for name, body in bodies().items():
        raw = jsonx.dumps(body)
        shown = cards.masked_data(body)
        line = {
            "name": name,
            "bytes": len(raw),
            "masked": shown is not body,
            "microseconds": _time(lambda body=body: cards.masked_data(body)),
            "json_microseconds": _time(lambda raw=raw: jsonx.dumps(jsonx.loads(raw))),
        }
        print(json.dumps(line))


def _time(run: Any) -> float:
    return round(min(timeit.repeat(run, number=TIMES, repeat=5)) / TIMES * 1e6, 2)


if __name__ == "__main__":
    main()
