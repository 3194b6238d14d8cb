"""What is due in any tenant, who holds it until when, and whose turn it is. Narrow rows, no payloads."""
