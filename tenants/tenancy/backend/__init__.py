"""The database engine of the portal: Django's for PostgreSQL, with each statement inside its tenant's role."""
