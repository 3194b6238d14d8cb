"""The product on a machine that has nothing but Python: its own database, broker, keys and supervisor."""
