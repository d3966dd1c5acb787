"""The room behind the person, and the people in it."""
