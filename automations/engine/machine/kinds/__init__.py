"""How each kind of task behaves: one file a family, each function one kind."""
