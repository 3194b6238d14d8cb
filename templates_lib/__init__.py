"""The library: templates as folders, their published versions, and what is installed where."""
