"""What hostile requests stand on: the ground of the access matrix."""

from tests.house.conftest import ground
from tests.portal.ui.conftest import _plain_files

__all__ = ["_plain_files", "ground"]
