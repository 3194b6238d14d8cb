"""The engine's SQL: claiming what is due, writing checkpoints under the fence, starting runs, delivering events.

Only the engine's actions come here. Names are schema-qualified; a schema's name comes from the ledger's slot, never
from outside. Times of leases are the database's, times of runs the tenant's.
"""
