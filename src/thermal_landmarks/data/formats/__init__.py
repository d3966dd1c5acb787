"""Image files -> values: one module a format."""
