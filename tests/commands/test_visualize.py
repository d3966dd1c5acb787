import json
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from in_process import Command
from PIL import Image

from thermal_landmarks.data.preprocessing import Preprocessing
from thermal_landmarks.errors import ConfigError
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.checkpoint import load_checkpoint
from thermal_landmarks.models.network import LandmarkNetwork
from thermal_landmarks.reporting.layers.network_layers import look_at
from thermal_landmarks.reporting.layers.visualize import celsius_range, choose_channels

MakeCheckpoint = Callable[..., Path]


@pytest.fixture
def visualize(command: Command) -> Command:
    """Runs the command in a folder of its own, for few steps; gives what it exits with."""
    return partial(command, "visualize", "device=cpu", "steps=4", "hydra.run.dir=out")


@pytest.fixture
def face(tmp_path: Path) -> Path:
    path = tmp_path / "face.npy"
    np.save(path, np.random.default_rng(0).uniform(20, 36, (60, 80)).astype(np.float32))
    return path


def with_branch(checkpoint: Path, branch: dict[str, object]) -> Path:
    """The same checkpoint with another branch, untrained."""
    content = torch.load(checkpoint, weights_only=True)
    network = LandmarkNetwork(**{**content["hyper_parameters"]["network"], "branch": branch})
    content["hyper_parameters"]["network"] = network.settings
    content["state_dict"] = {f"network.{name}": value for name, value in network.state_dict().items()}
    torch.save(content, checkpoint)
    return checkpoint


@pytest.mark.parametrize("form", ["plain", "regularised"])
def test_it_leaves_a_grid_and_what_the_report_reads(
    visualize: Command, make_checkpoint: MakeCheckpoint, tmp_path: Path, form: str
) -> None:
    checkpoint = make_checkpoint()
    assert (
        visualize(
            f"checkpoint={checkpoint}",
            "channels=[2,5]",
            f"form={form}",
            "batch_size=1",
            "steps=20",
            "regularised.total_variation=0.05",
        )
        is None
    )
    record = json.loads((tmp_path / "out" / "visualize.json").read_text())
    wanted = {"checkpoint": str(checkpoint), "model_id": "C-1", "layer": "stem.0", "channels": [2, 5]}
    assert {name: record[name] for name in wanted} == wanted
    assert (record["form"], record["what"]) == (form, "activation")
    assert len(record["objective"]) == 21
    assert record["objective"][-1] > record["objective"][0]
    assert record["objective"][-1] == pytest.approx(np.mean(record["activation"]))
    picture = np.asarray(Image.open(tmp_path / "out" / record["figure"]))
    assert picture.std() > 10


@pytest.mark.parametrize(
    ("what", "pixel", "branch"),
    [
        ("features", "null", {"name": "none"}),
        (
            "attention",
            "[63,47]",
            {
                "name": "bahdanau",
                "depth": 1,
                "width": None,
                "residual": True,
                "chunk_megabytes": None,
                "normalisation": "batch",
            },
        ),
        *(
            ("attention", pixel, {"name": "vit", "depth": 2, "patch_size": 4, "dim": 8, "heads": 2, "mlp_ratio": 1.0})
            for pixel in ("null", "[63,47]")
        ),
    ],
)
def test_features_and_attention_of_an_image(
    visualize: Command,
    make_checkpoint: MakeCheckpoint,
    tmp_path: Path,
    face: Path,
    what: str,
    pixel: str,
    branch: dict[str, object],
) -> None:
    checkpoint = with_branch(make_checkpoint(), branch)
    assert visualize(f"checkpoint={checkpoint}", f"what={what}", f"image={face}", f"pixel={pixel}") is None
    record = json.loads((tmp_path / "out" / "visualize.json").read_text())
    assert (record["what"], record["objective"], record["form"]) == (what, [], None)
    assert np.asarray(Image.open(tmp_path / "out" / record["figure"])).std() > 10


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["layer=stem.9"], "layer=stem.9: there is no such layer"),
        (["channels=8"], "the layer has the channels 0 to 7"),
        (["what=dreams"], "what=dreams is unknown"),
        (["what=features"], "image is not set"),
        (["image=face.npy"], "needs no image"),
        (["what=features", "image=face.npy", "look=1"], "this network looks 1 times"),
        (["what=attention", "image=face.npy"], "no attention layer"),
        (["what=attention", "image=face.npy", "channels=all"], "Leave channels out"),
    ],
)
def test_a_wrong_setting_is_named(
    visualize: Command, make_checkpoint: MakeCheckpoint, face: Path, settings: list[str], message: str
) -> None:
    answer = str(visualize(f"checkpoint={make_checkpoint()}", *settings))
    assert answer.startswith("error: ")
    assert message in answer


def test_a_network_for_face_boxes_asks_for_one(visualize: Command, make_checkpoint: MakeCheckpoint, face: Path) -> None:
    settings = (f"checkpoint={make_checkpoint(crop={'mode': 'box'})}", "what=features", f"image={face}")
    assert "box=None" in str(visualize(*settings))
    assert visualize(*settings, "box=[10,10,50,50]") is None


def test_the_picture_and_the_ascent_go_to_the_logger(
    visualize: Command, make_checkpoint: MakeCheckpoint, tmp_path: Path
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert visualize(f"checkpoint={make_checkpoint()}", "logger=tensorboard") is None
    events = EventAccumulator(str(tmp_path / "out" / "tensorboard")).Reload()
    (shown,) = events.Images("visualize/activation")
    logged, kept = BytesIO(shown.encoded_image_string), tmp_path / "out" / "activation.png"
    logged_picture, kept_picture = (np.asarray(Image.open(file).convert("RGB")) for file in (logged, kept))
    np.testing.assert_array_equal(logged_picture, kept_picture)
    assert len(events.Scalars("visualize/objective")) == 4 + 1


def test_channels_are_spread_over_the_layer_or_as_named() -> None:
    assert choose_channels(None, 48, most=4) == [0, 16, 31, 47]
    assert choose_channels(None, 3, most=16) == [0, 1, 2]
    assert choose_channels("all", 3, most=2) == [0, 1, 2]
    assert choose_channels(2, 3, most=16) == [2]
    with pytest.raises(ConfigError, match="0 to 2"):
        choose_channels([0, 3], 3, most=16)


def test_temperatures_are_known_only_where_all_images_share_them() -> None:
    settings = {"image_size": [48, 64], "in_channels": 1, "crop": {}}
    window = {"mode": "window", "temperature_range_c": [20.0, 38.0]}
    cascade = {"crop_size": [32, 32], "percentiles": [1.0, 99.0]}
    assert celsius_range(Preprocessing.from_settings({**settings, "normalisation": window})) == (20.0, 38.0)
    assert celsius_range(Preprocessing.from_settings({**settings, "normalisation": {}})) is None
    assert celsius_range(Preprocessing.from_settings({**settings, "normalisation": window, "cascade": cascade})) is None


def test_looks_are_what_the_network_saw(shared_data: Path) -> None:
    from thermal_landmarks.data.formats.images import read_image

    image = read_image(shared_data / "thermal-real" / "images" / "face_01.png", unit="centi_celsius")
    predictor = Predictor.from_checkpoint("thermal_real", device="cpu")
    whole, close = look_at(predictor, image, look=0), look_at(predictor, image)
    side = predictor.preprocessing.input_size[0]
    assert whole.values.shape == close.values.shape == (1, 1, side, side)
    spread = [np.ptp(view.points_px, axis=0).max() for view in (whole, close)]
    assert spread[1] > spread[0]  # closer to the face
    with torch.no_grad():
        points = load_checkpoint("thermal_real").network(close.values.clone())[0] * side - 0.5
    np.testing.assert_allclose(close.points_px, points.numpy(), atol=1e-3)
