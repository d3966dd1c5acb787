"""Which cues carry the landmarks.

    python docs/studies/landmark_cues.py ../shared/data docs/figures/landmark_cues.webp [checkpoint=thermal_real]

On the left, temperature along and across landmarks in real portraits (`thermal-real`, `thermal54`) and in rendered
faces at rest, each about its mean. On the right, how far the nose tip and the corners of the mouth move when a spot of
the four portraits of `thermal-real` is blurred away: the spots that move them are their cues.
"""

import sys
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from thermal_faces import SyntheticFaces
from thermal_landmarks.data.annotation import Source, ThermalImage
from thermal_landmarks.data.readers.coco import CocoKeypoints
from thermal_landmarks.data.readers.sftl54 import Sftl54Text
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.inference.predictor import Predictor

mpl.use("Agg")
from matplotlib import pyplot as plt

Faces = list[tuple[ThermalImage, np.ndarray]]  # pictures with their `face16` points in pixels
SCHEME = get_scheme("face16")
AT = {name: i for i, name in enumerate(SCHEME.landmark_names)}
HALF_STRIP_PERCENT = 2.0
SPOT_PERCENT, STEP_PERCENT = 9.0, 13.0  # of the inter-ocular distance


def faces_of(source: Source) -> Faces:
    """Every picture of a source with its points."""
    index = get_scheme(source.scheme).index_map(SCHEME)
    return [(source.load(a), np.asarray(a.points_px, dtype=float)[index]) for a in source.annotations()]


def real_portraits(data: Path) -> tuple[Faces, Faces]:
    """Those of `thermal-real` and of `thermal54`."""
    folder = data / "thermal-real"
    portraits = CocoKeypoints(annotation_file=folder / "annotations.json", image_dir=folder / "images", scheme="face16")
    return faces_of(portraits), faces_of(Sftl54Text(folder=data / "thermal54", suffix=".npy", unit="fahrenheit"))


def rendered_portraits(count: int) -> Faces:
    """Uncovered faces at rest that look at the camera."""
    return faces_of(
        SyntheticFaces(
            subjects=count,
            images_per_subject=1,
            size=(360, 480),
            seed=78,
            pose={"yaw_deg": (-8, 8), "pitch_deg": (-4, 6), "roll_deg": (-4, 4), "face_height": (0.6, 0.8)},
            expression={"neutral": 1.0, "eyes_closed": 0.0},
            appearance={"glasses_owner": 0.0, "occluder": 0.0, "mask": 0.0, "beard": 0.0},
            sensor={"eight_bit": 0.0},
        )
    )


def upright(points: np.ndarray) -> np.ndarray:
    """Points in percent of the inter-ocular distance from the middle of the eyes, which are level."""
    left, right = points[AT["eye_left_outer"]], points[AT["eye_right_outer"]]
    across = (right - left) / np.linalg.norm(right - left)
    offset = 100 * (points - (left + right) / 2) / np.linalg.norm(right - left)
    return np.stack([offset @ across, offset @ np.array([-across[1], across[0]])], axis=-1)


def places_px(points: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pixels of places given in percent of the inter-ocular distance from the middle of the eyes."""
    left, right = points[AT["eye_left_outer"]], points[AT["eye_right_outer"]]
    across = (right - left) / 100
    down = np.array([-across[1], across[0]])
    return (left + right) / 2 + x[..., None] * across + y[..., None] * down


def profile(image: ThermalImage, points: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Temperature along a line, averaged across it, without its mean."""
    shift = np.linspace(-HALF_STRIP_PERCENT, HALF_STRIP_PERCENT, 5)[:, None]
    vertical = np.ptp(y) > np.ptp(x)
    place = places_px(points, x + shift * vertical, y + shift * (not vertical))
    values = map_coordinates(np.asarray(image.values, np.float32), np.moveaxis(place[..., ::-1], -1, 0), order=1).mean(
        0
    )
    return values - values.mean()


def draw_profiles(axes: np.ndarray, real: Faces, rendered: Faces) -> None:
    """One line a real face, a band for the rendered ones, and the landmarks of both."""
    along = np.linspace(-45, 45, 181)
    lines = {
        "down the middle, below the subnasale": (("nasion", "nose_tip", "subnasale", "upper_lip"), "subnasale", 0.0),
        "across the wings of the nose": (("ala_left", "ala_right"), "subnasale", -6.0),
        "across the mouth": (("mouth_left", "mouth_right"), "mouth_left", 0.0),
        "across the eyes": (("eye_left_outer", "eye_left_inner", "eye_right_inner", "eye_right_outer"), "nasion", None),
    }
    for axis, (title, (names, anchor, offset)) in zip(axes, lines.items(), strict=True):
        vertical = title.startswith("down")
        place = along - 15 if vertical else 1.3 * along
        for kind, faces in (("rendered", rendered), ("real", real)):
            curves, marks = [], []
            for image, points in faces:
                shape = upright(points)
                x0, y0 = shape[AT[anchor]]
                middle = shape[AT["subnasale"], 0] if offset is not None else 0.0
                height = y0 + offset if offset is not None else 0.0
                x, y = (
                    (np.full_like(place, x0), y0 + place) if vertical else (middle + place, np.full_like(place, height))
                )
                curves.append(profile(image, points, x, y))
                marks.append([shape[AT[n], 1] - y0 if vertical else shape[AT[n], 0] - middle for n in names])
            if kind == "rendered":
                low, middle_line, high = np.percentile(curves, (10, 50, 90), axis=0)
                axis.fill_between(place, low, high, color="0.85", label="rendered, 10 to 90 %")
                axis.plot(place, middle_line, color="0.4", linestyle="--")
            else:
                for number, curve in enumerate(curves):
                    axis.plot(place, curve, linewidth=1, label="real faces" if number == 0 else None)
            for mark in np.median(marks, axis=0):
                axis.axvline(
                    mark, color="0.4" if kind == "rendered" else "C2", linestyle="--" if kind == "rendered" else "-"
                )
        axis.set(title=title, xlabel="% of inter-ocular", ylabel="K", ylim=(-3.2, 2.6))
    axes[0].legend(fontsize=7, loc="lower left")


def draw_cues(axes: np.ndarray, predictor: Predictor, faces: Faces) -> None:
    """Movement of two predictions over the place of the blurred spot, mean of the faces."""
    x, y = (np.arange(low, high, STEP_PERCENT) for low, high in ((-78, 79), (-60, 150)))
    moved = np.zeros((2, len(y), len(x)))
    for image, points in faces:
        scale = np.linalg.norm(points[AT["eye_right_outer"]] - points[AT["eye_left_outer"]]) / 100
        values = np.asarray(image.values, np.float32)
        blurred = gaussian_filter(values, 12 * scale)
        rows, columns = np.mgrid[: values.shape[0], : values.shape[1]]
        spots = [values]
        for place in places_px(points, *np.meshgrid(x, y)).reshape(-1, 2):
            squared = ((columns - place[0]) ** 2 + (rows - place[1]) ** 2) / (SPOT_PERCENT * scale) ** 2
            cover = np.clip(1.5 * np.exp(-0.5 * squared), 0, 1).astype(np.float32)
            spots.append(values + cover * (blurred - values))
        found = np.concatenate(
            [predictor([replace(image, values=v) for v in spots[i : i + 16]]) for i in range(0, len(spots), 16)]
        )
        # In the frame of the annotated face, so that a spot that moves the eyes moves no nose.
        left, right = points[AT["eye_left_outer"]], points[AT["eye_right_outer"]]
        across = (right - left) / np.linalg.norm(right - left)
        down = np.array([-across[1], across[0]])
        tip = found[:, AT["nose_tip"]] @ down / scale
        width = (found[:, AT["mouth_right"]] - found[:, AT["mouth_left"]]) @ across / scale / 2
        moved += np.stack([(v[1:] - v[0]).reshape(len(y), len(x)) for v in (tip, width)]) / len(faces)
    titles = ("nose tip: red spots push it up", "mouth corners: red spots push them out")
    for axis, title, values, sign in zip(axes, titles, moved, (1, -1), strict=True):
        shown = axis.pcolormesh(x, y, sign * values, cmap="RdBu_r", vmin=-3, vmax=3)
        mean = np.mean([upright(points) for _, points in faces], axis=0)
        axis.plot(*mean.T, "k.", markersize=4)
        axis.set(title=title, aspect="equal", ylim=(150, -60), xlabel="% of inter-ocular")
        axis.figure.colorbar(shown, ax=axis, label="%")


def main(data: str, figure: str, *checkpoint: str) -> None:
    """Draws the figure and prints where it is."""
    portraits, bearded = real_portraits(Path(data))
    canvas, axes = plt.subplots(2, 3, figsize=(15, 9.5))
    draw_profiles(axes.ravel()[[0, 1, 3, 4]], portraits + bearded, rendered_portraits(120))
    predictor = Predictor.from_checkpoint(checkpoint[0].removeprefix("checkpoint=") if checkpoint else "thermal_real")
    draw_cues(axes[:, 2], predictor, portraits)
    canvas.tight_layout()
    canvas.savefig(figure, dpi=80, pil_kwargs={"quality": 80})
    sys.stdout.write(f"{figure}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
