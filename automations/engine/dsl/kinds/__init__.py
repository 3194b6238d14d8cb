"""How each kind of task is compiled."""
