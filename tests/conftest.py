"""A tiny data set of our own making (warm blobs on a cold ground, one at each landmark) and the shipped settings."""

import copy
import gc
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import settings
from PIL import Image

from thermal_landmarks.data.annotation import Annotation, ThermalImage
from thermal_landmarks.data.schemes import get_scheme

pytest_plugins = ("programs", "benchmark_trees", "browser", "in_process", "wandb_record")

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the test processes share the cores already
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the commands under test start in half the time with bytecode kept
sys.dont_write_bytecode = False

settings.register_profile("untimed", deadline=None)  # time is measured in benchmarks; a busy machine fails no test
settings.load_profile("untimed")

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
CONF = Path(__file__).parents[1] / "conf"


_FACE16 = np.array(
    [
        *[(0.36, 0.28), (0.64, 0.28)],  # brows
        *[(0.31, 0.38), (0.43, 0.38), (0.57, 0.38), (0.69, 0.38)],  # eye corners
        *[(0.50, 0.37), (0.50, 0.49)],  # nasion, nose tip
        *[(0.44, 0.54), (0.50, 0.56), (0.56, 0.54)],  # alae and subnasale
        *[(0.40, 0.66), (0.50, 0.63), (0.60, 0.66), (0.50, 0.70)],  # mouth
        (0.50, 0.84),  # chin
    ]
)  # of width and height


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with many slow tests first, so that at the end no process waits for another one's."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


def pytest_collection_finish() -> None:
    """What the imports have left stays: a million objects that every collection of garbage would look through."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """So that extension modules find their objects collected at the end."""
    gc.unfreeze()


@pytest.fixture(autouse=True, scope="session")
def config_files_parsed_once() -> Iterator[None]:
    """The tests compose those of `conf/` a thousand times, and parsing them is a third of that."""
    from omegaconf import OmegaConf

    parse, parsed = OmegaConf.load, {}

    def load(file: Any, **settings: Any) -> Any:
        path = Path(getattr(file, "name", file))
        if not path.is_relative_to(CONF):
            return parse(file, **settings)
        key = (path, path.stat().st_mtime_ns)
        if key not in parsed:
            parsed[key] = parse(file, **settings)
        return copy.deepcopy(parsed[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OmegaConf, "load", staticmethod(load))
        yield


@pytest.fixture(autouse=True)
def no_wandb_service_left() -> Iterator[None]:
    """Commands that a later test starts must not join the W&B service of this process."""
    yield
    if wandb := sys.modules.get("wandb"):
        wandb.teardown()
        sys.modules["wandb.sdk.lib.module"].unset_globals()  # teardown ends the run, but leaves it as wandb.run


@pytest.fixture(autouse=True)
def no_hydra_config_left() -> Iterator[None]:
    """The config of a command that ran in this process is not that of the next test."""
    yield
    if hydra_config := sys.modules.get("hydra.core.hydra_config"):
        hydra_config.HydraConfig.instance().cfg = None


class BlobFaces:
    """A `Source` whose images show a Gaussian blob at each of the 16 points of a jittered face."""

    scheme = "face16"

    def __init__(self, subjects: int = 6, images_per_subject: int = 2, size: tuple[int, int] = (48, 64)) -> None:
        self.subjects = subjects
        self.images_per_subject = images_per_subject
        self.size = size

    def annotations(self) -> Sequence[Annotation]:
        rng = np.random.default_rng(0)
        height, width = self.size
        template = _FACE16 * [width, height]
        found = []
        for i in range(self.subjects * self.images_per_subject):
            points = template + rng.uniform(-0.08, 0.08, 2) * [width, height]
            subject = f"s{i // self.images_per_subject}"
            found.append(Annotation(Path(f"blob_{i}.png"), points.astype(np.float32), subject, location=f"blob {i}"))
        return found

    def load(self, annotation: Annotation) -> ThermalImage:
        y, x = np.mgrid[: self.size[0], : self.size[1]]
        values = np.full(self.size, 20.0)
        for i, (px, py) in enumerate(annotation.points_px):
            if np.isnan(px):
                continue
            values += (4 + i) * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 1.5**2))
        return ThermalImage(values.astype(np.float32), "celsius")

    def fingerprint(self) -> str:
        return f"{self.subjects} {self.images_per_subject} {self.size}"


@pytest.fixture
def blob_faces() -> BlobFaces:
    assert get_scheme(BlobFaces.scheme).num_points == 16
    return BlobFaces()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The sample data beside the project's folder."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no sample data at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture
def make_checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """Writes a checkpoint of a tiny untrained network whose points depend strongly on the image."""

    def make(
        name: str = "tiny.ckpt",
        *,
        scheme: str = "perinasal6",
        image_size: tuple[int, int] = (48, 64),
        in_channels: int = 1,
        seed: int = 0,
        **preprocessing: Any,
    ) -> Path:
        import torch

        from thermal_landmarks.data.preprocessing import Preprocessing
        from thermal_landmarks.models.network import LandmarkNetwork

        torch.manual_seed(seed)
        settings = {"crop": {}, "normalisation": {}, **preprocessing}
        prepared = Preprocessing.from_settings({"image_size": image_size, "in_channels": in_channels, **settings})
        network = LandmarkNetwork(
            root={
                "name": "paper",
                "channels": [4, 8],
                "kernel_size": 3,
                "normalisation": "batch",
                "activation": "relu",
            },
            stem={
                "name": "conv",
                "depth": 1,
                "width": 8,
                "width_growth": 1.0,
                "kernel_size": 3,
                "stride": 2,
                "strided_repeats": 1,
                "normalisation": "batch",
                "activation": "relu",
            },
            branch={"name": "none"},
            head={"name": "fully_connected", "dropout": 0.1},
            in_channels=in_channels,
            image_size=prepared.input_size,
            num_points=get_scheme(scheme).num_points,
        )
        with torch.no_grad():
            network.head.linear.weight.mul_(4)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "hyper_parameters": {
                "network": network.settings,
                "scheme": scheme,
                "preprocessing": prepared.settings,
            },
            "state_dict": {f"network.{key}": value for key, value in network.state_dict().items()},
        }
        torch.save(content, path)
        return path

    return make


@pytest.fixture(scope="session")
def blob_coco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The blob faces as files: 16-bit PNG in hundredths of a degree and COCO keypoints; gives the JSON's path."""
    folder = tmp_path_factory.mktemp("blobs")
    source = BlobFaces(subjects=8, images_per_subject=4)
    images, annotations = [], []
    for i, annotation in enumerate(source.annotations()):
        centi_celsius = np.rint(source.load(annotation).values * 100).astype(np.uint16)
        Image.fromarray(centi_celsius).save(folder / annotation.image.name)
        size = {"width": source.size[1], "height": source.size[0]}
        images.append(
            {
                "id": i,
                "file_name": annotation.image.name,
                **size,
                "subject": annotation.subject,
                "unit": "centi_celsius",
            }
        )
        keypoints = [value for x, y in annotation.points_px.tolist() for value in (x, y, 2)]
        annotations.append({"id": i, "image_id": i, "category_id": 1, "keypoints": keypoints})
    path = folder / "annotations.json"
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "face"}]})
    )
    return path


@pytest.fixture(scope="session")
def settings_of() -> Callable[[str, str], dict[str, Any]]:
    """The settings of a config file: `settings_of("stem", "conv")`."""

    def read(group: str, name: str) -> dict[str, Any]:
        settings: dict[str, Any] = yaml.safe_load((CONF / group / f"{name}.yaml").read_text())
        return settings

    return read
