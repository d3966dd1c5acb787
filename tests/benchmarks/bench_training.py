"""Speed and memory of training, as ratios within one run: `uv run pytest -n 0 -s tests/benchmarks/bench_training.py`.

The machine should do nothing else meanwhile.
"""

import subprocess
import sys
import time
from pathlib import Path

import lightning as L
import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from thermal_landmarks.allocator import keep_freed_memory
from thermal_landmarks.commands.entry import compose_config
from thermal_landmarks.data.batch import to_unit
from thermal_landmarks.data.cache import CachedSamples
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.data.dataset import LandmarkDataset
from thermal_landmarks.training.losses import LandmarkLoss
from thermal_landmarks.training.module import LandmarkModule
from thermal_landmarks.training.precision import best_precision

ROOT = Path(__file__).parents[2]
SIZE = (480, 640)
BATCH = 16
STEPS = 12
WARM_UP = 3


def cached_samples(folder: Path, count: int, size: tuple[int, int]) -> CachedSamples:
    """A cache of random images; only its size matters here."""
    rng = np.random.default_rng(0)
    images = np.lib.format.open_memmap(folder / f"{count}.npy", mode="w+", dtype=np.uint16, shape=(count, *size))
    pattern = rng.integers(29000, 31000, size, dtype=np.uint16)
    for row in range(count):
        images[row] = pattern
    images.flush()
    points = rng.uniform(0.2, 0.8, (count, 16, 2)).astype(np.float32) * [size[1], size[0]]
    return CachedSamples(
        images=np.load(folder / f"{count}.npy", mmap_mode="r"),
        encoding=np.tile(np.array([0.01, -273.15], np.float32), (count, 1)),
        limits=np.tile(np.array([18, 30], np.float32), (count, 1)),
        matrix=np.tile(np.eye(2, 3, dtype=np.float32), (count, 1, 1)),
        points_px=points.astype(np.float32),
        inter_ocular_px=np.full(count, 100, np.float32),
        box_px=np.full((count, 2), 200, np.float32),
        pixel_size=np.ones(count, np.float32),
        scheme="face16",
        names=[str(i) for i in range(count)],
        subjects=[str(i) for i in range(count)],
        bad_items=[],
        attributes=[{}] * count,
    )


def data_module(samples: CachedSamples, size: tuple[int, int]) -> LandmarkDataModule:
    data = LandmarkDataModule(
        source=None,  # type: ignore[arg-type]  # the data sets below are given ready
        scheme="perinasal6",
        image_size=size,
        batch_size=BATCH,
        augmentation={"rotation": "none"},
    )
    rows = np.arange(len(samples))
    data.datasets = dict.fromkeys(("train", "val", "test"), LandmarkDataset(samples, rows, np.arange(8, 14)))
    return data


def module(memory_format: str) -> LandmarkModule:
    cfg = compose_config("train", ["stem=alt_conv_resnext", "branch=luong"])
    parts = {part: OmegaConf.to_container(cfg[part]) for part in ("root", "stem", "branch", "head")}
    return LandmarkModule(
        network={**parts, "in_channels": 1, "image_size": SIZE, "num_points": 6},
        scheme="perinasal6",
        preprocessing={},
        optimizer=lambda groups: torch.optim.AdamW(groups, lr=1e-3, fused=True),
        memory_format=memory_format,  # type: ignore[arg-type]
    )


class Clock(L.Callback):
    """Seconds of the steps after the warm-up."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: object, batch_idx: int
    ) -> None:
        if batch_idx == WARM_UP:
            self.start = time.perf_counter()

    def on_train_batch_end(self, *args: object, **kwargs: object) -> None:
        self.seconds = time.perf_counter() - getattr(self, "start", time.perf_counter())


def bare_loop(data: LandmarkDataModule, *, bf16: bool, channels_last: bool) -> float:
    """Images a second of a hand-written loop over the same network and data."""
    network = module("channels_last" if channels_last else "contiguous").network.train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
    loss_function = LandmarkLoss()
    batches = iter(data.train_dataloader())
    for step in range(STEPS):
        if step == WARM_UP:
            start = time.perf_counter()
        batch = data.finish(next(batches), augment=False)
        images = batch["image"]
        images = images.contiguous(memory_format=torch.channels_last) if channels_last else images.contiguous()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            points = network(images).float()
        loss = loss_function(points, to_unit(batch["points_px"], SIZE), batch["mask"], SIZE)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (STEPS - WARM_UP) * BATCH / (time.perf_counter() - start)


def trainer_fit(data: LandmarkDataModule) -> float:
    """Images a second through `Trainer.fit` with the default settings."""
    clock = Clock()
    trainer = L.Trainer(
        accelerator="cpu",
        precision=best_precision("cpu"),  # type: ignore[arg-type]
        max_epochs=1,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[clock],
    )
    trainer.fit(module("channels_last"), data)
    return (STEPS - WARM_UP) * BATCH / clock.seconds


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> LandmarkDataModule:
    return data_module(cached_samples(tmp_path_factory.mktemp("cache"), STEPS * BATCH, SIZE), SIZE)


def test_fit_beats_plain_pytorch_and_keeps_up_with_a_bare_loop(data: LandmarkDataModule, tmp_path: Path) -> None:
    script = PLAIN_SCRIPT.format(benchmarks=str(Path(__file__).parent), folder=str(tmp_path))
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    plain = float(result.stdout)  # in a process of its own, where the allocator is as usual
    keep_freed_memory()
    rounds = [(bare_loop(data, bf16=True, channels_last=True), trainer_fit(data)) for _ in range(3)]
    bare, fit = (float(np.median(column)) for column in zip(*rounds, strict=True))
    print(
        f"\nA-2 at {SIZE[0]}x{SIZE[1]}, images/s: plain fp32 NCHW {plain:.1f}, bare bf16 channels_last {bare:.1f}, "
        f"Trainer.fit {fit:.1f} ({fit / plain:.1f}x plain, {fit / bare:.2f}x bare)"
    )
    assert fit / plain >= 4
    assert fit / bare >= 0.95


def test_waiting_for_data_is_a_small_part_of_a_step(data: LandmarkDataModule) -> None:
    batches = iter(data.train_dataloader())
    next(batches)
    start = time.perf_counter()
    for _ in range(STEPS - 1):
        next(batches)
    wait = (time.perf_counter() - start) / (STEPS - 1)
    step = BATCH / trainer_fit(data)
    print(f"\nwaiting for data: {1000 * wait:.1f} ms of a step of {1000 * step:.0f} ms ({100 * wait / step:.1f} %)")
    assert wait / step < 0.03


PLAIN_SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {benchmarks!r})
from bench_training import BATCH, SIZE, STEPS, bare_loop, cached_samples, data_module
data = data_module(cached_samples(Path({folder!r}), STEPS * BATCH, SIZE), SIZE)
print(bare_loop(data, bf16=False, channels_last=False))
"""

MEMORY_SCRIPT = """
import sys
from pathlib import Path
import numpy as np, psutil
sys.path.insert(0, {benchmarks!r})
from bench_training import cached_samples, data_module
count, folder, size = int(sys.argv[1]), Path(sys.argv[2]), (120, 160)
data = data_module(cached_samples(folder, count, size), size)
peak = 0
for i, raw in enumerate(data.train_dataloader()):
    data.finish(raw, augment=True)
    if i % 20 == 0:
        info = dict(line.split(':') for line in Path('/proc/self/status').read_text().splitlines())
        peak = max(peak, int(info['RssAnon'].split()[0]))
print(peak / 1024)
"""


def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    def peak_mb(count: int) -> float:
        script = MEMORY_SCRIPT.format(benchmarks=str(Path(__file__).parent))
        command = [sys.executable, "-c", script, str(count), str(tmp_path)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    few, many = peak_mb(2_000), peak_mb(20_000)
    print(f"\npeak private memory of an epoch: {few:.0f} MB with 2,000 images, {many:.0f} MB with 20,000")
    assert many < few * 1.1


def test_help_appears_within_three_seconds() -> None:
    def seconds() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, str(ROOT / "src/train.py"), "--help"], capture_output=True, check=True)
        return time.perf_counter() - start

    seconds()
    best = min(seconds() for _ in range(3))
    print(f"\n--help: {best:.2f} s")
    assert best < 3
