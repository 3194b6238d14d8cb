"""Reading the standard's conformance kit: features written in Gherkin, each scenario a workflow and what becomes of it.

The kit lies outside this repository; CONFORMANCE_KIT says where.
"""

import os
import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

HOME = Path(os.environ.get("CONFORMANCE_KIT", "/work/shared/spec/ctk"))
_STEP = re.compile(r"^\s*(?:Given|When|Then|And(?: given)?)\s+(.*?)\s*$")


@dataclass(frozen=True, slots=True)
class Step:
    """A sentence, and the block of text below it."""

    words: str
    block: str = ""


@dataclass(slots=True)
class Scenario:
    """One scenario of a feature."""

    feature: str
    name: str
    steps: list[Step] = field(default_factory=list)

    @property
    def definition(self) -> str:
        """The workflow's document."""
        return next(step.block for step in self.steps if step.words.startswith("a workflow with definition"))

    @property
    def given(self) -> Any:
        """The workflow's input; nothing is an empty object."""
        block = next((s.block for s in self.steps if s.words.startswith("the workflow input is")), None)
        return {} if block is None else yaml(block)

    @property
    def expectations(self) -> list[Step]:
        """What must hold when it is over."""
        begin = next(n for n, step in enumerate(self.steps) if step.words == "the workflow is executed")
        return self.steps[begin + 1 :]


def yaml(text: str) -> Any:
    """The value of a YAML text."""
    return YAML(typ="safe", pure=True).load(text)


def scenarios(home: Path = HOME) -> list[Scenario]:
    """Every scenario of the kit, in the order of its files; none where there is no kit."""
    return [one for path in sorted(home.glob("*.feature")) for one in _read(path)]


def _read(path: Path) -> list[Scenario]:
    found: list[Scenario] = []
    block: list[str] | None = None
    for line in path.read_text().splitlines():
        if line.strip().startswith('"""'):
            if block is None:
                block = []
            else:
                last = found[-1].steps[-1]
                found[-1].steps[-1] = Step(last.words, textwrap.dedent("\n".join(block)))
                block = None
        elif block is not None:
            block.append(line)
        elif line.strip().startswith("Scenario:"):
            found.append(Scenario(path.stem, line.split(":", 1)[1].strip()))
        elif found and (match := _STEP.match(line)):
            found[-1].steps.append(Step(match.group(1)))
    return found
