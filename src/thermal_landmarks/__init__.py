"""Facial landmarks in thermal images."""

__version__ = "0.1.0"
