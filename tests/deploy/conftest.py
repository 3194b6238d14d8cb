"""What the launcher's tests stand on: a home of their own in a folder that every user may enter."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy import processes


@pytest.fixture
def place() -> Iterator[Path]:
    """The path of a home that does not exist yet."""
    with processes.folder_for_all() as folder:
        yield folder / "home"
