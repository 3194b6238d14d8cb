"""Somebody without a mouse: what can be reached by Tab, and nothing else."""

from typing import Any

import pytest


def tab_to(page: Any, words: str, *, most: int = 120) -> None:
    """Press Tab until the focus is on something that is called `words`; nobody presses it more often than `most` times."""
    page.wait_for_load_state("load")
    for _turn in range(most):
        page.keyboard.press("Tab")
        called = page.evaluate(
            "(() => { const at = document.activeElement;"
            " return (at.labels?.[0]?.innerText ?? at.getAttribute('aria-label') ?? at.innerText ?? '').trim(); })()"
        )
        if words in called:
            return
    pytest.fail(f"no key leads to {words!r}")
