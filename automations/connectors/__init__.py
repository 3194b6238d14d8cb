"""The client's systems: connections with their credentials, and what each vendor's bodies mean."""
