"""The built-in functions, each a plain Python function of (fuel, input, arguments)."""
