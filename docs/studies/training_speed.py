"""What makes a training step faster on a processor: `python docs/studies/training_speed.py recipes/thermal_real 8`.

Steps of an experiment (forward, loss, backward, AdamW) on random crops of its size take turns in one process on one
core: as they are, with `torch.compile` of each stem and branch, and at half the resolution. CPU
time, so that other work on the machine hardly counts; ratios are medians over rounds. `... 8 processes` compares two
threads with two processes that average their gradients, by CPU time an image and by the clock. oneDNN's graph fusion
is left out: PyTorch has it for inference alone (`torch.jit.enable_onednn_fusion`).
"""

import os
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
import torch.distributed
import torch.multiprocessing
from torch import nn

from thermal_landmarks.building import build
from thermal_landmarks.commands.configs import compose_config
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.models.network import LandmarkNetwork
from thermal_landmarks.training.losses import LandmarkLoss
from thermal_landmarks.training.precision import best_precision

ROUNDS, WARM_UP = 5, 1


class Steps:
    """Training steps of one experiment's network.

    Args:
        experiment: Its name.
        images: In a batch.
        shrink: What the sides of its images are divided by.
    """

    def __init__(self, experiment: str, images: int, *, shrink: int = 1) -> None:
        cfg = compose_config("train", [f"experiment={experiment}"])
        cascade = cfg.data.get("cascade")
        size = [side // shrink for side in (cascade.crop_size if cascade else cfg.data.image_size)]
        points = get_scheme(cfg.data.scheme).num_points
        parts = {part: dict(cfg[part]) for part in ("root", "stem", "branch", "head")}
        torch.manual_seed(0)
        network = LandmarkNetwork(num_points=points, in_channels=cfg.data.in_channels, image_size=size, **parts)  # type: ignore[arg-type]
        self.network: nn.Module = network.to(memory_format=torch.channels_last).train()
        self.landmarks = network
        self.loss: LandmarkLoss = build("loss", cfg.loss)
        self.optimizer = torch.optim.AdamW(network.parameters())
        self.images = torch.rand(images, cfg.data.in_channels, *size).to(memory_format=torch.channels_last)
        self.target = torch.rand(images, points, 2)
        self.mask = torch.ones(images, points, dtype=torch.bool)
        self.half = best_precision("cpu") == "bf16-mixed"

    def compile_parts(self) -> None:
        """Compile each stem and branch."""
        for component in self.network.components:  # type: ignore[union-attr]
            for part in component:  # type: ignore[union-attr]
                part.compile()

    def __call__(self, *, average: bool = False) -> None:
        """One step; `average` over the processes' gradients."""
        self.optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.half):
            points, penalty = self.landmarks.forward_train(self.images, self.target, self.mask)
        size = (self.images.shape[-2], self.images.shape[-1])
        (self.loss(points.float(), self.target, self.mask, size) + penalty).backward()
        if average:
            gradients = [parameter.grad for parameter in self.network.parameters() if parameter.grad is not None]
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            torch.distributed.all_reduce(flat)
            pieces = flat.div_(torch.distributed.get_world_size()).split([gradient.numel() for gradient in gradients])
            for gradient, piece in zip(gradients, pieces, strict=True):
                gradient.copy_(piece.view_as(gradient))
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimizer.step()


def seconds(step: Callable[[], None], clock: Callable[[], float] = time.process_time) -> float:
    """Of one call."""
    started = clock()
    step()
    return clock() - started


def alternate(experiment: str, images: int) -> None:
    """All ways on one core."""
    os.sched_setaffinity(0, {0})
    torch.set_num_threads(1)
    ways = {name: Steps(experiment, images) for name in ("today", "compiled stem and branch")}
    ways["half the resolution"] = Steps(experiment, images, shrink=2)
    ways["compiled stem and branch"].compile_parts()
    for name, step in ways.items():
        first = seconds(step)
        print(f"{experiment}, {name}: first step {first:.1f} CPU s", flush=True)
        for _ in range(WARM_UP):
            step()
    taken = {name: np.empty(ROUNDS) for name in ways}
    for row in range(ROUNDS):
        for name, step in ways.items():
            taken[name][row] = seconds(step)
    for name, each in taken.items():
        ratio = np.median(taken["today"] / each)
        print(f"{experiment}, {name}: {images / each.min():.1f} images a CPU s, {ratio:.2f} of today's", flush=True)


def _process(
    rank: int, experiment: str, images: int, shares: "torch.multiprocessing.SimpleQueue[tuple[float, float]]"
) -> None:
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29511")
    torch.distributed.init_process_group("gloo", rank=rank, world_size=2)
    torch.set_num_threads(1)
    step = Steps(experiment, images // 2)

    def steps() -> None:
        for _ in range(ROUNDS):
            step(average=True)

    step(average=True)
    cpu, clock = time.process_time(), seconds(steps, time.perf_counter)
    shares.put((time.process_time() - cpu, clock))
    torch.distributed.destroy_process_group()


def processes(experiment: str, images: int) -> None:
    """Two threads, then two processes, on the same number of images a step."""
    torch.set_num_threads(2)
    step = Steps(experiment, images)
    step()
    cpu = time.process_time()
    clock = sum(seconds(step, time.perf_counter) for _ in range(ROUNDS))
    each = 1e3 / ROUNDS / images
    print(
        f"{experiment}, two threads: {each * (time.process_time() - cpu):.1f} CPU ms an image, {each * clock:.1f} clock"
    )
    context = torch.multiprocessing.get_context("spawn")
    shares = context.SimpleQueue()
    torch.multiprocessing.spawn(_process, (experiment, images, shares), nprocs=2)
    both = np.array([shares.get(), shares.get()])
    cpu_ms, clock_ms = each * both[:, 0].sum(), each * both[:, 1].max()
    print(f"{experiment}, two processes: {cpu_ms:.1f} CPU ms an image, {clock_ms:.1f} clock")


if __name__ == "__main__":
    (processes if "processes" in sys.argv else alternate)(sys.argv[1], int(sys.argv[2]))
