"""Sequences: motion, physiology and their files."""
