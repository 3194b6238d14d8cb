"""Words of the branding room."""

from typing import Final

WORDS: Final = ("tenant", "tenants", "exception", "exceptions")
"""What a partner may call by a word of its own: a client, several; a case that needs somebody, several."""
PNG: Final = "image/png"
SVG: Final = "image/svg+xml"
