"""Durable workflows: definitions in, runs out, every step in the journal. Postgres is the queue, Redis rings."""
