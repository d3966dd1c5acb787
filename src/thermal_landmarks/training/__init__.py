"""Losses, metrics, the LightningModule, callbacks and loggers."""
