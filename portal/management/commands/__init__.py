"""Management commands of the street front."""
