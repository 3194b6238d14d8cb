"""Benchmarks: each prints figures as JSON lines, CPU per unit beside wall time. Nothing here is a test."""
