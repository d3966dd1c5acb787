"""From a checkpoint to a file that needs no PyTorch, with preprocessing and the cascade's crops inside."""
