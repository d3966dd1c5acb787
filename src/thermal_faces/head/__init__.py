"""The head's surface in millimetres: mean shape, people, expressions, neck and shoulders."""
