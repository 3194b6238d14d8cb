"""What notices are told of: runs that fail as in the tests of the inbox."""

from tests.automations.inbox.conftest import bench, make_case

__all__ = ["bench", "make_case"]
