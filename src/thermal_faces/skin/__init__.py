"""The temperatures of the skin and what is painted on it."""
