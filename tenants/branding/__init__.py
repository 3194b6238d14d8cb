"""How a partner's portal looks and is called, on every surface."""
