"""Faults on purpose: the product under load while its processes are killed, paused and wiped, and what became of it."""
