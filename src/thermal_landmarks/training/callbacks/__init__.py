"""What happens beside the training: checkpoints, history, figures, warnings."""
