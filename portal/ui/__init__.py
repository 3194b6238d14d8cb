"""The windows for people: one file a room, each view parses, makes one call, renders."""
