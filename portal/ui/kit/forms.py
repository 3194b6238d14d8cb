"""Forms in the design system's look."""

from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """Renders fields by our own templates."""
