"""What can be done with workflows and runs. Only these write runs and steps."""
