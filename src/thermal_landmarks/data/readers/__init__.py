"""One module a file format; each reader is a `Source`."""
