"""The desk for machines: REST, version 1, one file a room."""
