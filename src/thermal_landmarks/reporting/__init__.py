"""Pictures and tables, used by all rooms; they import only data."""
