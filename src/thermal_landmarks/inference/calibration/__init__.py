"""What one annotator means by each landmark, learned from a few annotated faces and stored in a checkpoint."""
