"""What can be done with the audit: record an act, seal what was recorded, verify, export, erase, stream."""

from tenants.audit.actions.erasing import erase_event, erase_sealed
from tenants.audit.actions.exporting import NothingSealed, TooManyEvents, export, lines_from, part, whole
from tenants.audit.actions.recording import record
from tenants.audit.actions.sealing import BATCH, adopt, certify, keys_here, seal, verifying_keys
from tenants.audit.actions.streaming import create_stream, delete_stream, deliver, set_stream_active
from tenants.audit.actions.verifying import verify_log, witnessed

__all__ = [
    "BATCH",
    "NothingSealed",
    "TooManyEvents",
    "adopt",
    "certify",
    "create_stream",
    "delete_stream",
    "deliver",
    "erase_event",
    "erase_sealed",
    "export",
    "keys_here",
    "lines_from",
    "part",
    "record",
    "seal",
    "set_stream_active",
    "verify_log",
    "verifying_keys",
    "whole",
    "witnessed",
]
