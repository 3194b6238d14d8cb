"""What can be done with templates: try, publish, preview, install."""
