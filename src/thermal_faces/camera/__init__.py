"""Perspective, drawing, and what a camera adds to the picture."""
