"""What tests of attacks share: pages without collected files."""

from tests.portal.ui.conftest import _plain_files

__all__ = ["_plain_files"]
