"""Telling people what needs them: a line under the bell, a mail, a message to another system."""
