"""What can be done with people's data: one module a matter."""
