"""The taxonomy: the kinds of cases that ship, and which of them an error is, in plain words."""

from automations.inbox.catalog import kinds as _kinds  # noqa: F401 - registers them
