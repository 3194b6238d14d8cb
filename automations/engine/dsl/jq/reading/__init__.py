"""From source text to a tree."""
