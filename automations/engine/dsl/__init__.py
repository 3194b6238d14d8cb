"""The language: documents of the Open Workflow Specification in, compiled programs out. Pure Python."""
