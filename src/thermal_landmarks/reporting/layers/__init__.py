"""What a network has learned, looked at layer by layer: preferred pictures, feature maps, attention."""
