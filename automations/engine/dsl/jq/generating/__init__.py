"""From the tree to Python: one function for what gives one result, generators for the rest."""
