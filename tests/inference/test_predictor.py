from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from PIL import Image

from thermal_landmarks.data.annotation import Annotation, Source, ThermalImage
from thermal_landmarks.data.batch import to_pixels
from thermal_landmarks.data.datamodule import LandmarkDataModule
from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.data.geometry import invert_matrix, transform_points
from thermal_landmarks.errors import ConfigError, DataError
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.models.cascade import locate

MakeCheckpoint = Callable[..., Path]
REFERENCE = [[-1.0, 0.0], [0.0, 0.2], [1.0, 0.0], [-2.0, 2.5], [0.0, 1.5], [2.0, 2.5]]
PREPROCESSINGS: dict[str, dict[str, Any]] = {
    "shrunk": {"image_size": (32, 40)},
    "grown_to_three_channels": {"image_size": (60, 72), "in_channels": 3},
    "colour": {"image_size": (32, 40), "in_channels": 3, "colour": True},
    "box": {"image_size": (32, 40), "crop": {"mode": "box", "margin": 0.2}},
    "window": {"image_size": (32, 40), "normalisation": {"mode": "window"}},
    "cascade": {"image_size": (48, 60), "cascade": {"crop_size": [32, 40], "stages": 3, "reference": REFERENCE}},
}


class WithBoxes:
    """A source whose annotations have a face box."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.scheme = source.scheme

    def annotations(self) -> Sequence[Annotation]:
        found = []
        for a in self.source.annotations():
            (x0, y0), (x1, y1) = a.points_px.min(axis=0), a.points_px.max(axis=0)
            found.append(replace(a, box_px=(float(x0), float(y0), float(x1), float(y1))))
        return found

    def load(self, annotation: Annotation) -> ThermalImage:
        return self.source.load(annotation)

    def fingerprint(self) -> str:
        return f"boxes {self.source.fingerprint()}"


class RealFaces:
    """The four radiometric portraits, read without the package's readers."""

    scheme = "face16"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def annotations(self) -> Sequence[Annotation]:
        points = np.column_stack([np.linspace(200, 400, 16), np.linspace(150, 350, 16)]).astype(np.float32)
        return [Annotation(p, points, p.stem) for p in sorted((self.folder / "images").glob("*.png"))]

    def load(self, annotation: Annotation) -> ThermalImage:
        return ThermalImage(np.asarray(Image.open(annotation.image), dtype=np.float32) / 100, "celsius")

    def fingerprint(self) -> str:
        return str(self.folder)


def through_the_data_module(predictor: Predictor, source: Source, cache: Path) -> np.ndarray:
    """What training and testing would compute, carried back to original pixels."""
    settings = predictor.preprocessing.settings
    data = LandmarkDataModule(
        source=source,
        scheme=predictor.scheme.name,
        image_size=settings["image_size"],
        in_channels=settings["in_channels"],
        colour=settings["colour"],
        crop=settings["crop"],
        normalisation=settings["normalisation"],
        cascade=settings["cascade"],
        cache_dir=cache,
        workers=1,
    )
    data.use_for_test(source)
    (raw,) = data.test_dataloader()
    with torch.no_grad():
        frames, cascade = data.finish(raw, augment=False)["image"], predictor.preprocessing.cascade
        points = predictor.network(frames) if cascade is None else locate(predictor.network, frames, cascade)
        points = to_pixels(points, data.image_size).numpy()
    matrices = data.datasets["test"].samples.matrix
    return np.stack([transform_points(p, invert_matrix(m)) for p, m in zip(points, matrices, strict=True)])


@pytest.mark.parametrize("settings", PREPROCESSINGS.values(), ids=PREPROCESSINGS)
def test_predicts_what_the_data_module_path_predicts(
    settings: dict[str, Any], blob_faces: Source, make_checkpoint: MakeCheckpoint, tmp_path: Path
) -> None:
    source = WithBoxes(blob_faces)
    predictor = Predictor.from_checkpoint(make_checkpoint(**settings), device="cpu")
    annotations = source.annotations()
    boxes = [a.box_px for a in annotations if a.box_px is not None]
    predicted = predictor([source.load(a) for a in annotations], boxes_px=boxes)
    expected = through_the_data_module(predictor, source, tmp_path / "cache")
    assert np.ptp(expected, axis=0).max() > 0.1  # the points do depend on the image
    assert_allclose(predicted, expected, atol=0.01)


def test_predicts_what_the_data_module_path_predicts_on_real_faces(
    shared_data: Path, make_checkpoint: MakeCheckpoint, tmp_path: Path
) -> None:
    source = RealFaces(shared_data / "thermal-real")
    predictor = Predictor.from_checkpoint(make_checkpoint(image_size=(96, 128)), device="cpu")
    predicted = predictor([source.load(a) for a in source.annotations()])
    assert_allclose(predicted, through_the_data_module(predictor, source, tmp_path / "cache"), atol=0.01)


@pytest.fixture
def predictor(make_checkpoint: MakeCheckpoint) -> Predictor:
    return Predictor.from_checkpoint(make_checkpoint(), device="cpu", batch_size=2)


@pytest.fixture
def celsius(blob_faces: Source) -> np.ndarray:
    return np.stack([blob_faces.load(a).values for a in blob_faces.annotations()[:3]])


def test_all_forms_of_input_give_the_same_points(predictor: Predictor, celsius: np.ndarray) -> None:
    expected = predictor([ThermalImage(image, "celsius") for image in celsius])
    assert expected.shape == (3, 6, 2)
    assert expected.dtype == np.float32
    tensor = torch.from_numpy(celsius)
    for batch in (celsius, celsius.astype(np.float64), list(celsius), tensor, tensor[:, None], list(tensor)):
        assert_allclose(predictor(batch), expected, atol=1e-4)
    for single in (celsius[0], tensor[0], ThermalImage(celsius[0], "celsius")):
        assert_allclose(predictor(single), expected[0], atol=1e-4)


def test_points_do_not_depend_on_the_batch_size(make_checkpoint: MakeCheckpoint, celsius: np.ndarray) -> None:
    path = make_checkpoint()
    one, all_at_once = (Predictor.from_checkpoint(path, device="cpu", batch_size=size) for size in (1, 32))
    assert_allclose(one(celsius), all_at_once(celsius), atol=1e-3)


def test_images_of_several_sizes_keep_their_own_coordinates(predictor: Predictor, celsius: np.ndarray) -> None:
    ramp = np.add.outer(np.arange(48.0), np.arange(64.0)) / 10 + 25
    large = np.add.outer((np.arange(192) - 1.5) / 4, (np.arange(256) - 1.5) / 4) / 10 + 25
    mixed = predictor([ramp, celsius[0], large])
    assert_allclose(mixed[1], predictor(celsius[0]), atol=1e-3)
    # Enlarging by 4 moves a pixel centre x to 4 x + 1.5.
    assert_allclose(mixed[2], 4 * mixed[0] + 1.5, atol=0.05)


def test_integers_are_gray_levels_and_floats_are_temperatures(make_checkpoint: MakeCheckpoint) -> None:
    window = {"mode": "window", "temperature_range_c": [20.0, 40.0], "gray_range": [0.0, 255.0]}
    predictor = Predictor.from_checkpoint(make_checkpoint(normalisation=window), device="cpu")
    share = np.random.default_rng(0).integers(0, 256, (48, 64))
    from_celsius = predictor((20 + share / 255 * 20).astype(np.float32))
    assert_allclose(predictor(share.astype(np.uint8)), from_celsius, atol=0.1)
    assert_allclose(predictor(share.astype(np.float32), unit="gray"), from_celsius, atol=0.1)


def test_an_empty_batch_gives_no_points(predictor: Predictor) -> None:
    assert predictor([]).shape == (0, 6, 2)


def mirrored(points_px: np.ndarray, width: int, order: np.ndarray) -> np.ndarray:
    swapped = points_px[..., order, :].copy()
    swapped[..., 0] = width - 1 - swapped[..., 0]
    return swapped


def test_mirror_averages_image_and_mirror_image(make_checkpoint: MakeCheckpoint, celsius: np.ndarray) -> None:
    # A fixed window: percentiles are taken from every other pixel, which are others in the mirror image.
    path = make_checkpoint(image_size=(30, 40), normalisation={"mode": "window"})
    plain = Predictor.from_checkpoint(path, device="cpu")
    both = Predictor.from_checkpoint(path, device="cpu", flip_tta=True)
    order = np.array([2, 1, 0, 5, 4, 3])  # of perinasal6: alae and mouth corners change places
    expected = (plain(celsius) + mirrored(plain(celsius[:, :, ::-1]), 64, order)) / 2
    assert_allclose(both(celsius), expected, atol=1e-2)
    assert_allclose(both(celsius[:, :, ::-1]), mirrored(both(celsius), 64, order), atol=1e-2)


def test_mirror_is_by_default_what_the_training_tested_with(make_checkpoint: MakeCheckpoint) -> None:
    path = make_checkpoint()
    assert not Predictor.from_checkpoint(path, device="cpu").flip_tta
    content = torch.load(path, weights_only=True)
    content["hyper_parameters"]["flip_tta"] = True
    torch.save(content, path)
    assert Predictor.from_checkpoint(path, device="cpu").flip_tta
    assert not Predictor.from_checkpoint(path, device="cpu", flip_tta=False).flip_tta


def test_colours_count_for_a_network_in_colour_alone(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    rgb = np.zeros((48, 64, 3), np.uint8)
    rgb[10:30, 20:40] = (220, 40, 90)
    swapped = rgb[:, :, ::-1].copy()
    Image.fromarray(rgb).save(tmp_path / "a.png")
    in_colour = Predictor.from_checkpoint(
        make_checkpoint(image_size=(32, 40), in_channels=3, colour=True), device="cpu"
    )
    points = in_colour(rgb)
    assert_allclose(in_colour(read_image(tmp_path / "a.png")), points)
    assert_allclose(in_colour(np.stack([swapped, rgb]))[1], points, atol=1e-4)
    assert np.abs(in_colour(swapped) - points).max() > 0.01
    luminance = ThermalImage.from_rgb(rgb)
    gray = Predictor.from_checkpoint(make_checkpoint(image_size=(32, 40)), device="cpu")
    assert_allclose(gray(rgb), gray(luminance.values, unit="gray"))


def test_half_precision_stays_close(make_checkpoint: MakeCheckpoint, celsius: np.ndarray) -> None:
    path = make_checkpoint()
    exact = Predictor.from_checkpoint(path, device="cpu")(celsius)
    half = Predictor.from_checkpoint(path, device="cpu", precision="bf16")(celsius)
    assert half.dtype == np.float32
    assert 0 < np.abs(half - exact).max() < 1


def test_precision_may_be_a_number(make_checkpoint: MakeCheckpoint) -> None:
    """Hydra reads precision=16 as one."""
    assert Predictor.from_checkpoint(make_checkpoint(), device="cpu", precision=16).precision == "16"
    assert Predictor.from_checkpoint(make_checkpoint(), device="cpu", precision=32).precision == "32"


def test_points_that_are_no_numbers_are_refused(make_checkpoint: MakeCheckpoint, celsius: np.ndarray) -> None:
    predictor = Predictor.from_checkpoint(make_checkpoint(), device="cpu")
    with torch.no_grad():
        predictor.network.head.linear.bias[3] = torch.nan
    with pytest.raises(DataError, match="image 0: the network gives points that are no finite numbers"):
        predictor(celsius)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((48, 64, 3), np.float32), r"\(48, 64, 3\) \(float32\) is neither .* Colour images are bytes"),
        (np.zeros(5), "neither an image"),
        (np.full((48, 64), np.nan), "3072 of its values are NaN, infinite"),
        ([np.zeros((48, 64)), np.zeros((0, 4))], r"image 1: expected values of shape \(height, width\)"),
    ],
)
def test_arrays_that_are_no_images_are_refused(predictor: Predictor, images: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        predictor(images)


def test_a_network_for_face_boxes_needs_boxes(make_checkpoint: MakeCheckpoint, celsius: np.ndarray) -> None:
    predictor = Predictor.from_checkpoint(make_checkpoint(crop={"mode": "box"}), device="cpu")
    with pytest.raises(DataError, match="no face box"):
        predictor(celsius[0])
    with pytest.raises(DataError, match=r"expected shape \(3, 4\)"):
        predictor(celsius, boxes_px=(0, 0, 10, 10))
    with pytest.raises(DataError, match="x_min < x_max"):
        predictor(celsius[0], boxes_px=(10, 10, 0, 0))
    assert predictor(celsius[0], boxes_px=(0, 0, 10, 10)).shape == (6, 2)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"device": "abacus"}, r"device=abacus is not at hand \(.*abacus.*\)\. Choose"),
        ({"precision": "8"}, "precision=8"),
        ({"batch_size": 0}, "batch_size=0"),
    ],
)
def test_unknown_settings_are_named(make_checkpoint: MakeCheckpoint, setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Predictor.from_checkpoint(make_checkpoint(), **setting)
