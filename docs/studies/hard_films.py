"""What tracks make of people who turn away, are covered, leave, come near, and of cameras that shake, freeze or drop
frames: `python docs/studies/hard_films.py [people] [film ...]`.

Each film is rendered with its truth: where the landmarks are, and whether the face is shown (turned by at most 60
degrees, mostly in the picture, nothing before it), not shown at all (turned by more than 105 degrees, or out of the
picture), or something between, of which nothing is asked but that points that are `ok` are on the face. Counted are

* shown: frames with a face; of these `ok`, `doubtful`, and those without points;
* error: mean distance of the points that are `ok`, in frontal eye distances; `wrong`: `ok` frames farther than 0.35;
* nobody: frames not shown whose points are told, `ok` or `doubtful`;
* back: the longest time in frames until a face that is shown again has points again, and how often that was so;
* box: the largest ratio of a box's size to that of the truth, or the reverse;
* tracks: how many numbers one person got (must be 1).

They are tracked as `thermal-landmarks track` does, by `thermal_real` at speed=balanced.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from tracking_accuracy import settled

from thermal_faces import SyntheticSequence
from thermal_faces.camera.view import View
from thermal_faces.portrait import Portrait
from thermal_faces.video.motion import Turn, angles_deg, minimum_jerk
from thermal_landmarks.data.face_frames import box_around
from thermal_landmarks.data.schemes import get_scheme
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.tracking.track import TrackedFace, size_of
from thermal_landmarks.inference.tracking.tracker import Tracker

SEED = 5150
WRONG = 0.35
SHOWN_DEG, AWAY_DEG = 60.0, 105.0
DOWN_DEG = 35.0
EYES = (2, 5)  # outer corners
CHANGE = Callable[[View, float], View]


class Shot(NamedTuple):
    """One frame of a film."""

    values: np.ndarray  # degrees Celsius
    points_px: np.ndarray
    eyes_px: float  # distance of the outer eye corners, were the face frontal
    shown: bool | None  # None: in part


@dataclass(frozen=True)
class Film:
    """How a film is made: what the head does, and what the camera does with the frames."""

    turns: tuple[Turn, ...] = ()
    change: CHANGE = lambda view, _: view
    covered_s: tuple[float, float] = (0.0, 0.0)  # when a hand is before the face
    cut: Callable[[list[Shot]], list[Shot]] = list
    size: tuple[int, int] = (120, 160)
    face_height: tuple[float, float] = (0.4, 0.5)
    rate_hz: float = 10.0
    seconds: float = 6.0

    def shots(self, subject: int) -> list[Shot]:
        """The frames."""
        pose = {"face_height": self.face_height, "position_x": (0.45, 0.55), "distance_m": (1.5, 2.5)}
        sequence = _Sequence(
            self, seed=SEED, subject=subject, seconds=self.seconds, rate_hz=self.rate_hz, size=self.size, pose=pose
        )
        return self.cut([sequence.shot(index) for index in range(len(sequence))])


class _Sequence(SyntheticSequence):
    def __init__(self, film: Film, **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self.film = film
        if film.turns:
            self.motion = replace(self.motion, turns=film.turns)

    def portrait(self, index: int) -> Portrait:
        portrait, time_s = super().portrait(index), index / self.rate_hz
        start_s, end_s = self.film.covered_s
        state = portrait.frame_state
        kind = "hand" if start_s <= time_s < end_s else ""
        state = replace(state, worn=replace(state.worn, occluder=kind, key=(SEED, self.subject, 2)))
        return replace(portrait, frame_state=state, view=self.film.change(portrait.view, time_s), whole=True)

    def shot(self, index: int) -> Shot:
        frame, portrait = self[index], self.portrait(index)
        yaw, pitch, _ = (abs(angle) for angle in angles_deg(portrait.view.head))
        inside = np.mean((frame.points_px > 0) & (frame.points_px < np.array(self.faces.size[::-1])), axis=0).min()
        eyes_mm = np.linalg.norm(np.diff(self._eyes_mm(portrait), axis=0))
        covered = portrait.frame_state.worn.occluder != ""
        shown = None
        if yaw > AWAY_DEG or inside < 0.2:
            shown = False
        elif yaw < SHOWN_DEG and pitch < DOWN_DEG and inside > 0.9 and not covered:
            shown = True
        eyes_px = float(eyes_mm * portrait.view.pixels_per_mm)
        return Shot(frame.temperature_c, frame.points_px, eyes_px, shown)

    @staticmethod
    def _eyes_mm(portrait: Portrait) -> np.ndarray:
        from thermal_faces.head.surface import mean_head

        return portrait.vertices_mm[tuple(mean_head().landmark_vertices.T)][list(EYES)]


def turn(yaw_deg: float, pitch_deg: float = 0.0, *, onset_s: float = 1.5, hold_s: float = 1.5) -> Turn:
    """To somewhere and back, each in 0.7 s."""
    return Turn(onset_s, yaw_deg, pitch_deg, 0.7, hold_s)


def moved(across: float = 0.0, nearer: float = 1.0, start_s: float = 1.5, end_s: float = 4.5, *, back: bool) -> CHANGE:
    """A head that goes across by so many picture heights and comes nearer by a factor, and comes back or stays."""

    def change(view: View, time_s: float) -> View:
        share = minimum_jerk((time_s - start_s) / 1.2) if back else minimum_jerk((time_s - start_s) / (end_s - start_s))
        if back:
            share -= minimum_jerk((time_s - end_s + 1.2) / 1.2)
        distance = view.distance_mm / nearer**share
        x, y = view.centre_px
        return replace(view, distance_mm=distance, centre_px=(x + 120 * across * share, y))

    return change


def window(places: Callable[[int], tuple[float, float]]) -> Callable[[list[Shot]], list[Shot]]:
    """A part of the picture of three quarters of its size, that moves over it: a camera that pans or shakes."""

    def cut(shots: list[Shot]) -> list[Shot]:
        cut_out = []
        for index, shot in enumerate(shots):
            whole = np.array(shot.values.shape)
            part = whole * 3 // 4
            across, down = (np.clip(places(index), 0, 1) * (whole - part)[::-1]).round().astype(int)
            values = shot.values[down : down + part[0], across : across + part[1]]
            cut_out.append(shot._replace(values=values, points_px=shot.points_px - [across, down]))
        return cut_out

    return cut


def frozen(shots: list[Shot]) -> list[Shot]:
    """A shutter that stays closed for 1.2 s, while the last frame is repeated; then all is half a kelvin warmer."""
    warmer = [shot._replace(values=shot.values + np.float32(0.5)) for shot in shots[34:]]
    return [*shots[:22], *shots[21:22] * 12, *warmer]


def dropped(shots: list[Shot]) -> list[Shot]:
    """A third of the frames are missing, and eight at one place."""
    rng = np.random.default_rng(0)
    return [s for k, s in enumerate(shots) if k < 5 or (rng.random() > 1 / 3 and not 30 <= k < 38)]


def shaken(index: int) -> tuple[float, float]:
    """Jumps to anywhere near the middle."""
    across, down = 0.5 + 0.25 * np.random.default_rng(index).standard_normal(2)
    return float(across), float(down)


FILMS: dict[str, Film] = {
    "profile": Film(turns=(turn(85),)),
    "away": Film(turns=(turn(-165),), seconds=6.0),
    "round": Film(turns=(turn(120, hold_s=0.3), turn(-120, onset_s=3.6, hold_s=0.3)), size=(240, 320)),
    "phone": Film(turns=(turn(10, -55),)),
    "hand": Film(covered_s=(1.5, 3.5)),
    "leaves": Film(change=moved(1.4, back=True)),
    "half out": Film(change=moved(0.62, back=True)),
    "walks near": Film(change=moved(nearer=2.2, back=False), face_height=(0.28, 0.32)),
    "from afar": Film(change=moved(nearer=4.5, start_s=1.0, end_s=5.5, back=False), face_height=(0.1, 0.1)),
    "pan": Film(cut=window(lambda k: (0.5 + 0.5 * np.sin(k / 4), 0.5)), size=(160, 212)),
    "shake": Film(cut=window(shaken), size=(160, 212)),
    "frozen": Film(turns=(turn(25, onset_s=2.0),), cut=frozen),
    "dropped": Film(turns=(turn(30),), change=moved(0.4, back=True), cut=dropped),
    "9 a second": Film(turns=(turn(40),), change=moved(0.5, back=True), rate_hz=9.0),
    "4 a second": Film(turns=(turn(40),), change=moved(0.5, back=True), rate_hz=4.0, seconds=10.0),
}


class Result(NamedTuple):
    """What was counted in one film."""

    shown: int
    ok: int
    doubtful: int
    without: int
    error: float
    wrong: int
    nobody: int
    back: int
    returns: int
    box: float
    tracks: int

    def row(self) -> str:
        """As a line."""
        return (
            f"shown {self.shown:3d}: ok {self.ok:3d}, doubtful {self.doubtful:2d}, without {self.without:2d}; "
            f"error {100 * self.error:4.1f} %, wrong {self.wrong}; nobody {self.nobody}; "
            f"back in {self.back} ({self.returns}); box {self.box:.2f}; tracks {self.tracks}"
        )


def track(predictor: Predictor, film: Film, shots: list[Shot]) -> list[list[TrackedFace]]:
    """The faces of each frame, as `track` writes them."""
    tracker = Tracker(predictor, fps=film.rate_hz)
    return [frame.faces for frame in settled(tracker, (shot.values for shot in shots))]


def counted(shots: list[Shot], faces: list[list[TrackedFace]]) -> Result:
    """Tracks beside the truth."""
    told = [[face for face in there if face.flag in ("ok", "doubtful")] for there in faces]
    ok = doubtful = without = wrong = nobody = 0
    errors, ratios = [], [1.0]
    for shot, there in zip(shots, told, strict=True):
        fine = [face for face in there if face.flag == "ok"]
        ok += bool(shot.shown and fine)
        doubtful += bool(shot.shown and there and not fine)
        without += bool(shot.shown and not there)
        nobody += shot.shown is False and bool(there)
        for face in fine if shot.shown is not False else ():
            error = np.linalg.norm(face.points_px - shot.points_px, axis=1).mean() / shot.eyes_px
            wrong += error > WRONG
            errors += [error] if shot.shown else []
        if shot.shown:
            box, _ = box_around(shot.points_px.astype(float), get_scheme("face16"), None)
            ratios += [abs(np.log(size_of(np.array(face.box_px)) / size_of(box))) for face in there]
    waits = list(_waits(shots, told))
    tracks = len({face.track for there in told for face in there})
    return Result(
        sum(shot.shown is True for shot in shots), ok, doubtful, without, float(np.mean(errors or [np.nan])), wrong,
        nobody, max(waits, default=0), len(waits), float(np.exp(max(ratios[1:], default=0.0))), tracks,
    )  # fmt: skip


def _waits(shots: list[Shot], told: list[list[TrackedFace]]) -> Iterator[int]:
    """Frames from where the face is shown again until it has points."""
    for index in range(1, len(shots)):
        if shots[index].shown and not shots[index - 1].shown:
            there = [bool(each) for each in told[index:]]
            yield there.index(True) if any(there) else len(there)


def main() -> None:
    """Print a row a film and person."""
    torch.set_num_threads(1)
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    names = sys.argv[2:] or list(FILMS)
    predictor = Predictor.from_checkpoint("thermal_real", device="cpu", speed="balanced")
    for name in names:
        for subject in range(people):
            shots = FILMS[name].shots(subject)
            print(f"{name:11s} {subject}  {counted(shots, track(predictor, FILMS[name], shots)).row()}", flush=True)


if __name__ == "__main__":
    main()
