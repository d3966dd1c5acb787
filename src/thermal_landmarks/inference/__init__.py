"""From a checkpoint to points in an image's own pixels."""
