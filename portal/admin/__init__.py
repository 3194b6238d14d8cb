"""The operators' office on the platform's own host: everything can be looked at, and what is done leaves its trace."""
