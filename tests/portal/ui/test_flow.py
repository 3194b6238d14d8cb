"""The picture of a workflow before anybody runs it, and runbooks as HTML."""

import pytest

from automations.engine.catalog import FUNCTIONS
from automations.engine.dsl.compile import compile_document
from automations.engine.dsl.document import read
from automations.engine.dsl.program import Program
from portal.ui.kit.flow import Flow, flow
from portal.ui.kit.graph import draw
from portal.ui.kit.prose import prose
from portal.ui.kit.status import LOOKS
from templates_lib.contract import CATALOG, read_folder

HEAD = """
document: {dsl: 1.0.3, namespace: test, name: drawn, version: 1.0.0}
do:
"""
SLUGS = sorted(path.parent.name for path in CATALOG.glob("*/manifest.yaml"))


def compiled(steps: str) -> Program:
    return compile_document(read(HEAD + steps), FUNCTIONS)


def lines(drawn: Flow) -> set[str]:
    """Edges by the last part of their references: `a -> b (word)`."""
    return {
        f"{edge.source.rsplit('/', 1)[-1]} -> {edge.target.rsplit('/', 1)[-1]}"
        f"{f' ({edge.label})' if edge.label else ''}"
        for edge in drawn.edges
    }


def test_a_choice_leads_where_its_cases_say() -> None:
    drawn = flow(
        compiled("""
  - which:
      switch:
        - small: {when: . < 10, then: end}
        - large: {when: . > 99, then: report}
  - middle: {set: {a: 1}}
  - report: {set: {b: 1}}
""")
    )
    assert lines(drawn) == {
        "start -> which", "which -> end (small)", "which -> report (large)", "which -> middle (else)",
        "middle -> report", "report -> end",
    }  # fmt: skip


def test_what_is_caught_goes_its_own_way_and_joins_again() -> None:
    drawn = flow(
        compiled("""
  - risky:
      try:
        - call: {set: {a: 1}}
      catch:
        do:
          - mend: {set: {b: 1}}
  - after: {set: {c: 1}}
""")
    )
    assert lines(drawn) == {
        "start -> call", "call -> mend (on an error)", "call -> after", "mend -> after", "after -> end"
    }  # fmt: skip
    assert [node.title for node in drawn.nodes if node.id.endswith("call")] == ["Call"]


def test_a_loop_of_one_step_is_one_box_and_a_longer_one_goes_round() -> None:
    one = flow(
        compiled("""
  - each: {for: {each: line, in: .}, do: [{look: {set: {a: 1}}}]}
""")
    )
    assert [(node.note, node.id.rsplit("/", 1)[-1]) for node in one.nodes][1] == ("for each line", "look")
    two = flow(
        compiled("""
  - each: {for: {each: line, in: .}, do: [{look: {set: {a: 1}}}, {keep: {set: {b: 1}}}]}
""")
    )
    assert lines(two) == {"start -> look", "look -> keep", "keep -> look (next line)", "keep -> end"}


def test_branches_stand_side_by_side_and_a_jump_back_is_an_edge_back() -> None:
    drawn = flow(
        compiled("""
  - both: {fork: {branches: [{one: {set: {a: 1}}}, {two: {set: {b: 1}}}]}}
  - again: {switch: [{more: {when: .x, then: both}}]}
""")
    )
    assert lines(drawn) == {
        "start -> one", "start -> two", "one -> again", "two -> again", "again -> one (more)", "again -> end (else)"
    }  # fmt: skip


def test_nothing_goes_on_behind_an_error_that_is_always_raised() -> None:
    stop = "{raise: {error: {type: 'https://x.example/no', status: 409}}"
    drawn = flow(compiled(f"  - stop: {stop}}}\n  - never: {{set: {{a: 1}}}}\n"))
    assert lines(drawn) == {"start -> stop"}
    perhaps = flow(compiled(f"  - stop: {stop}, if: .x}}\n  - on: {{set: {{a: 1}}}}\n"))
    assert lines(perhaps) == {"start -> stop", "stop -> on (else)", "on -> end"}


@pytest.mark.parametrize("slug", SLUGS)
def test_every_template_can_be_drawn_with_words_for_each_step(slug: str) -> None:
    program = compile_document(read_folder(CATALOG / slug).document, FUNCTIONS)
    drawn = flow(program, starts=["Order placed", "Order canceled"])
    ids = [node.id for node in drawn.nodes]
    assert len(ids) == len(set(ids))
    assert {edge.source for edge in drawn.edges} | {edge.target for edge in drawn.edges} == set(ids)
    assert {node.state for node in drawn.nodes} <= set(LOOKS)
    assert drawn.nodes[0].note == "or 1 more"
    picture = draw(drawn.nodes, drawn.edges)
    assert "Order placed" in picture
    assert "style=" not in picture


def test_prose_knows_a_few_marks_and_escapes_all_else() -> None:
    shown = prose("""# The title

## First <b>
One **bold** and `code <i>`
goes on.

- first
- second
  goes on

1. one
2. two
""")
    assert shown == (
        "<h3>First &lt;b&gt;</h3><p>One <b>bold</b> and <code>code &lt;i&gt;</code> goes on.</p>"
        "<ul><li>first</li><li>second goes on</li></ul><ol><li>one</li><li>two</li></ol>"
    )
    assert "<script" not in prose("<script>alert(1)</script>\n\n**<img>**")
