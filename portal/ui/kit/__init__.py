"""The design system: tags, charts, graphs and forms that every page is made of."""
