"""What a step does in the world: a call to another system, a function of the catalog. Never inside a transaction."""
