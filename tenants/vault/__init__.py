"""Under which keys secrets are sealed: a data key a tenant, wrapped by the master key; both change while all runs."""
