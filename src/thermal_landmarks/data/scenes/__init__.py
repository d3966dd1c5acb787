"""Pictures with any number of faces, for the network that finds them."""
