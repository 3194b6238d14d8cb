"""Data sets of real orders, as the events that their shop would have sent."""
