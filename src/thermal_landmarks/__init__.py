"""Facial landmarks in thermal images."""
