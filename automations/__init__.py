"""A house: rooms stand one level down, no code here."""
