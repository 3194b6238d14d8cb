"""What house tests share: pages without collected files."""

from tests.portal.ui.conftest import _plain_files  # noqa: F401 - a fixture
