"""One folder a system: its contract, its page, its recorded payloads under tests. Vendors do not know each other."""
