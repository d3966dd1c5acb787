"""Batches without images, and a tiny training job whose every part is real."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from omegaconf import DictConfig


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def make_data(blob_faces: Any, tmp_path: Path) -> Callable[..., L.LightningDataModule]:
    """The real data module over twelve blob faces."""
    from thermal_landmarks.data.datamodule import LandmarkDataModule

    def make(**settings: Any) -> L.LightningDataModule:
        arguments: dict[str, Any] = {"image_size": (24, 32), "batch_size": 8, "workers": 1, **settings}
        return LandmarkDataModule(source=blob_faces, scheme="perinasal6", cache_dir=tmp_path / "cache", **arguments)

    return make


def tiny_network(image_size: tuple[int, int] = (24, 32)) -> dict[str, Any]:
    convolution = {"kernel_size": 3, "normalisation": "batch", "activation": "relu"}
    stem = {"depth": 1, "width": 8, "width_growth": 1.0, "stride": 2, "strided_repeats": 1}
    return {
        "root": {"name": "paper", "channels": [4, 8], **convolution},
        "stem": {"name": "conv", **stem, **convolution},
        "branch": {"name": "none"},
        "head": {"name": "fully_connected", "dropout": 0.3},
        "in_channels": 1,
        "image_size": image_size,
        "num_points": 6,
    }


@pytest.fixture
def make_module() -> Callable[..., Any]:
    """A LandmarkModule around a network of a few thousand parameters, with dropout and batch norm."""
    from thermal_landmarks.training.module import LandmarkModule

    def make(**settings: Any) -> LandmarkModule:
        torch.manual_seed(settings.pop("seed", 0))
        arguments: dict[str, Any] = {
            "network": tiny_network(),
            "scheme": "perinasal6",
            "preprocessing": {"image_size": [24, 32]},
            "optimizer": partial(torch.optim.AdamW, lr=3e-3, fused=True),
            **settings,
        }
        return LandmarkModule(**arguments)

    return make


@pytest.fixture
def make_trainer(tmp_path: Path) -> Callable[..., L.Trainer]:
    """The project's own Trainer on one CPU, silent."""
    from thermal_landmarks.training.trainer import build_trainer

    def make(**settings: Any) -> L.Trainer:
        arguments: dict[str, Any] = {
            "accelerator": "cpu",
            "precision": "32-true",
            "max_epochs": 2,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "num_sanity_val_steps": 0,
            "gradient_clip_val": 10.0,
            "default_root_dir": str(tmp_path / "run"),
            **settings,
        }
        return build_trainer(**arguments)

    return make


@pytest.fixture
def tiny_config(blob_coco: Path, tmp_path: Path) -> Callable[..., DictConfig]:
    """The train command's config over the blob faces with a tiny network; more settings as they would be typed."""
    from thermal_landmarks.commands.configs import compose_config

    def make(*overrides: str) -> DictConfig:
        data = ["data=coco", f"data.source.annotation_file={blob_coco}", "data.scheme=perinasal6", "data.workers=1"]
        data += ["data.image_size=[24,32]", "data.batch_size=8", f"data.cache_dir={tmp_path / 'cache'}"]
        network = ["root.channels=[4,8]", "stem=conv", "stem.width=8", "stem.depth=1", "branch=none"]
        quiet = [
            "logger=none",
            "trainer.accelerator=cpu",
            "callbacks.figures=null",
            "trainer.enable_progress_bar=false",
        ]
        return compose_config("train", [*data, *network, *quiet, *overrides])

    return make
