"""Partners, their clients (tenants) and their web addresses; the only room that knows a tenant is a Postgres schema."""
