"""What can be done about signing in; one module for each way."""
