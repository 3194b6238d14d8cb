"""Evaluates hostile expressions one after the other and says what each took. Run as a program: one JSON line each.

Processor time is counted, not the time of day, so a busy machine does not spoil it; memory is what the process held
at most meanwhile, beyond what it held before.
"""

import gc
import json
import sys
import time
from pathlib import Path

LIMIT = 16_384


def _filled(unit, head="", tail=""):
    return head + unit * ((LIMIT - len(head) - len(tail)) // len(unit)) + tail


def _nested(before, after, middle=".", levels=60):
    return before * levels + middle + after * levels


def _numbered(form, count, joint=","):
    return joint.join(form.replace("#", str(number)) for number in range(count))


def sources():
    """Sources that are hard to read or that make a lot of code, by what they repeat."""
    many = {
        "a megabyte": "." + "a" * 1_000_000,
        "one name": "a" * 16_000,
        "one comment": "#" + "a" * 16_000,
        "one number": "1" * 16_000,
        "one text": '"' + "\\u00e9" * 2_700 + '"',
        "open brackets": "[" * 10_000,
        "closed brackets": ")" * 1_000,
        "quotes": '"' * 1_001,
        "signs": "+*/%" * 1_000,
        "dots": "." * 1_000,
        "question marks": "." + "?" * 10_000,
        "nothing printable": "\0\1\2",
        "variables": _numbered(". as $v# |", 60, " ") + "[" + _numbered("$v#", 60) + "]",
        "streams of variables": _numbered(".[] as $v# |", 60, " ") + "[" + _numbered("$v#", 60) + "]",
        "a wide pattern": f". as [{_numbered('$v#', 1_500)}] | 1",
        "alternatives": ". as $x" + " ?// $x" * 1_200 + " | 1",
        "parameters": f"def f({_numbered('p#', 1_200, ';')}): 1; f({_numbered('1', 1_200, ';')})",
        "streams of parameters": f"def f({_numbered('$p#', 500, ';')}): 1; f({_numbered('.[]', 500, ';')})",
        "doubling functions": "def f0: .,.; " + _numbered("def f@: f#|f#; ", 200, "") + "1",
        "fields": "{" + _numbered("a#: .a#", 900) + "}",
        "streams of fields": "{" + _numbered("a#: .[]", 700) + "}",
        "items": "[" + _numbered(".a#", 1_300) + "]",
        "streams of items": "[" + _numbered(".[]", 900) + "]",
        "branches": "if 1 then 1 " + "elif 1 then 1 " * 1_000 + "end",
        "texts in a text": '"' + "\\(.[])" * 900 + '"',
        "steps": "." + "[]" * 900,
        "steps with a choice": "." + "[(0,1):]" * 400,
        "optional steps": "." + "[]?" * 900,
        "updates": "." + "|.a=1" * 800,
        "deletions": "del(" + _numbered(".a#", 1_200) + ")",
        "paths": "[" + _numbered("path(.a#)", 500) + "]",
        "chain of functions": "".join(f"def f{n}: f{n - 1}|f{n - 1}; " for n in range(1, 200)).join(
            ["def f0: .+1; ", "0|f199"]
        ),
        "chain of closures": "".join(f"def f{n}(g): f{n - 1}(g|g); " for n in range(1, 100)).join(
            ["def f0(g): g; ", "0|f99(.+1)"]
        ),
    }
    for unit in (
        ".[]|",
        "..|",
        ".|",
        "1+",
        ".[]+",
        "1,",
        "-",
        "1 and ",
        ".[] and ",
        "1//",
        ".[]//",
        "try ",
        "label $x|",
    ):
        many[f"row of {unit}"] = _filled(unit, tail=".")
    for unit in (
        "if 1 then ",
        "def f: ",
        "def f: 1;",
        ". as $x|",
        "reduce . as $x (0;",
        "f(",
        "{a:",
        ".[",
        '"\\(',
    ):
        many[f"row of {unit}"] = _filled(unit, tail=".")
    levels = [
        *(
            "[§]",
            "(§)",
            "{a:§}",
            "{a:(1,§),b:(1,2)}",
            ".[§]",
            '"\\(§)"',
            "map(§)",
            "select(§)",
            "first(§)",
            "path(§)",
        ),
        *(
            "limit(.[];§)",
            "any(.[];§)",
            "recurse(§)",
            "walk(§)",
            'sub("a";§)',
            ".a|=(§)",
            ".[]=(§)",
            "try (§) catch (.)",
        ),
        *("reduce .[] as $x (0;§)", "reduce . as [$x] ?// $x (0;§)", "foreach . as [$x] ?// $x (0;§)"),
        *(
            ". as [$x] ?// $x|(§)",
            "reduce (.[]|select(.)) as $x (0;§)",
            "sort_by(§)",
            "[.[]|§]",
            "isempty(§)",
            "del(§)",
        ),
        *(
            "label $x|(§)",
            "def f(g): g|g; f(§)",
            "if § then 1 else 2 end",
            "-(§)",
            "(§)?",
            "(§) // 1",
            "1 - (§)",
        ),
    ]
    for form in levels:
        before, after = form.split("§")
        many[f"nested {form}"] = _nested(before, after, levels=50)
        many[f"too deep {form}"] = _nested(before, after, levels=LIMIT // len(form) - 1)
    return many


class _Memory:
    """The most that the process held since `start`, in bytes; 0 where the system does not say."""

    def start(self):
        gc.collect()
        try:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        except OSError:
            return
        self._before = self._peak()

    def growth(self):
        try:
            return self._peak() - self._before
        except (OSError, AttributeError):
            return 0

    @staticmethod
    def _peak():
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1_024
        raise OSError


def _outcome(jq, act):
    """How `act` ends: `result`, `refused`, `failed`, or the name of an error that must not come out."""
    try:
        act()
    except jq.ExpressionSyntaxError:
        return "refused"
    except jq.ExpressionError:
        return "failed"
    except BaseException as error:  # noqa: BLE001 - that nothing else comes out is what is tested
        return f"{type(error).__name__}: {error}"
    return "result"


def _measured(jq, source, value):
    """What compiling `source` and evaluating it once takes."""
    memory = _Memory()
    memory.start()
    started = time.process_time()
    outcome = _outcome(jq, lambda: jq.compile(source, set()).all(value, {"__now__": 0.0}))
    seconds = time.process_time() - started
    return {"source": source[:200], "outcome": outcome, "seconds": seconds, "bytes": memory.growth()}


def main():
    from automations.engine.dsl import jq
    from tests.automations.engine.dsl.jq.evaluating import pairs

    cases = list(pairs("hostile.txt"))
    cases += [
        (source, value) for source in sources().values() for value in (None, [1, [2, 3]], {"a": {"a": 1}})
    ]
    for source, value in cases:
        found = _measured(jq, source, value)
        if found["seconds"] > 0.2:  # once more: it may have been the machine
            found["seconds"] = min(found["seconds"], _measured(jq, source, value)["seconds"])
        sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
