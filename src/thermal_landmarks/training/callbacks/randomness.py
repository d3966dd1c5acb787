"""Random numbers that a resumed run repeats exactly."""
# ruff: noqa: ARG002  (Lightning fixes the arguments of its hooks)

import random
from dataclasses import dataclass
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback


@dataclass(kw_only=True, eq=False)
class StepSeed(Callback):
    """Seeds Python, NumPy and torch before each training step from (seed, epoch, batch, process).

    So dropout in a step doesn't depend on what ran before it: a resumed run, or one with another validation interval,
    continues bit for bit, without a stored state of the generators.
    """

    seed: int = 0

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        entropy = (self.seed, trainer.current_epoch, batch_idx, trainer.global_rank)
        state = np.random.SeedSequence(entropy).generate_state(3)
        random.seed(int(state[0]))
        np.random.seed(state[1])  # noqa: NPY002 - libraries may use the global generator
        torch.manual_seed(int(state[2]))
