"""Faces from one frame to the next: each is looked for where its motion leads, and given up if it seems to jump."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.inference.confidence import Agreement
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.tracking.appearance import is_turned
from thermal_landmarks.inference.tracking.close_look import CloseLook
from thermal_landmarks.inference.tracking.steadying import Steadying
from thermal_landmarks.inference.tracking.track import UNKNOWN, TrackedFace, Tracklet, middle_of, size_of

_MOST_SHIFT = 0.6  # of a face's size in a frame, beside the expected motion, if it is unsure or others are near
_MOST_GROWTH = 0.4  # of the logarithm of a face's size in a frame
_STILL = 0.02  # of a face's size, by which its landmarks may move before the network looks elsewhere
_WEAK, _WEAK_FRAMES = 0.03, 5  # confidence, and for how many frames in a row it may be as low
_UNTOLD = 0.09  # confidence below which landmarks are on no face: of a head that is turned away, 0.06 to 0.08 mostly
_FAR = 0.12  # of a face's size between where it was looked for and found, from which on it is looked at again there
_LOOKS = 3  # at one face in a frame, at most
_STRANGE = 0.5  # likeness with itself below which a face near others may be half another one
_HEAD = 1.4  # sides of a face with ears and hair, to those of its landmarks
_PART = 0.25  # area of a followed face, below which what lies in it is an ear, an eye or a mouth
_SMOOTH = 0.35  # share of a frame's motion in the velocity


class Follower:
    """Looks at faces that are followed; below `min_confidence` landmarks are flagged `doubtful`.

    Attributes:
        steadying: The last frames.
    """

    def __init__(self, predictor: Predictor, min_confidence: float) -> None:
        self.min_confidence = min_confidence
        self.steadying = Steadying()
        self._scheme = predictor.scheme
        self._close_look, self._confidence = CloseLook(predictor), predictor.confidence

    def follow(
        self, image: ThermalImage, tracklets: Sequence[Tracklet], location: str, *, frames: int = 1
    ) -> dict[int, Agreement]:
        """Look where each is expected; the numbers of those who are there, who are moved there, and what looks say.

        The tracklets are of the frame before, so many frames ago.
        """
        expected = [_expected(track, frames) for track in tracklets]
        image = self.steadying(image, [(track.box_px, track.still) for track in tracklets])
        seen = {}
        for track, looks in zip(tracklets, self._looks(image, tracklets, expected, location), strict=True):
            points = looks.mean(axis=0).astype(float)
            box, _ = self._close_look.box(points)
            agreement = self._agreement(looks, box, track, image)
            moved = np.linalg.norm(middle_of(box) - track.middle_px - frames * track.velocity_px)
            growth = np.log(size_of(box) / track.size_px)
            track.weak = track.weak + 1 if track.sure < _WEAK else 0
            doubtful = track.crowded or track.sure < self.min_confidence
            jumped = (moved > _MOST_SHIFT * track.size_px and doubtful) or abs(growth) > _MOST_GROWTH
            if is_place(points, box, image) and not jumped and track.weak < _WEAK_FRAMES:
                seen[track.number] = agreement
                self.move(track, points, frames=frames)
        return seen

    def _looks(
        self, image: ThermalImage, tracklets: Sequence[Tracklet], expected_px: list[np.ndarray], location: str
    ) -> list[np.ndarray]:
        """What looks say; the network is good at faces in the middle of what it sees, so others are looked at again."""
        looks: dict[int, np.ndarray] = {}
        places, rows = list(expected_px), list(range(len(tracklets)))
        for _ in range(_LOOKS):
            looks |= dict(
                zip(rows, self._close_look(image, [places[row] for row in rows], location=location), strict=True)
            )
            beside = {row: np.linalg.norm((looks[row].mean(axis=0) - places[row]).mean(axis=0)) for row in rows}
            rows = [row for row in rows if beside[row] > _FAR * tracklets[row].size_px]
            for row in rows:
                places[row] = looks[row].mean(axis=0)
        return [looks[row] for row in range(len(tracklets))]

    def look_again(self, track: Tracklet, image: ThermalImage) -> Agreement:
        """What looks say at the place where a tracklet's landmarks are by now."""
        (looks,) = self._close_look(image, [track.points_px], location="frame")
        return self._agreement(looks, track.box_px, track, image)

    def _agreement(self, looks: np.ndarray, box: np.ndarray, track: Tracklet, image: ThermalImage) -> Agreement:
        agreement = Agreement.of(looks, box, track.score, image.values.shape[-2:])
        track.sure = self._confidence.face(agreement)
        return agreement

    def begin(self, points_px: Float[np.ndarray, "point 2"], number: int, frame: int, score: float) -> Tracklet:
        """A face with these landmarks, that hasn't been followed yet."""
        box, angle = self._close_look.box(points_px)
        track = Tracklet(number, frame, points_px, np.asarray(box, dtype=float), angle, score, points_px)
        track.anchor_px, track.undecided, track.supported = track.middle_px, frame, frame
        track.turned = is_turned(points_px, self._scheme)
        return track

    def move(self, track: Tracklet, points_px: Float[np.ndarray, "point 2"], *, frames: int = 1) -> None:
        """A tracklet's landmarks so many frames later."""
        box, track.angle = self._close_look.box(points_px)
        step = (middle_of(box) - track.middle_px) / frames
        track.velocity_px = (1 - _SMOOTH) * track.velocity_px + _SMOOTH * step
        track.points_px, track.box_px = points_px, np.asarray(box, dtype=float)
        track.turned = is_turned(points_px, self._scheme)

    def tell(self, track: Tracklet, agreement: Agreement) -> TrackedFace:
        """The face of this frame, before it is settled whose it is."""
        sure = self._confidence.face(agreement)
        if sure < _UNTOLD:
            return TrackedFace.missing(UNKNOWN, len(track.points_px), "lost")
        among_others = track.crowded and (not track.confirmed or track.like_itself < _STRANGE)
        x0, y0, x1, y1 = (float(end) for end in track.box_px)
        return TrackedFace(
            track=UNKNOWN,
            points_px=track.points_px.astype(np.float32),
            confidence=sure,
            point_confidence=self._confidence.points(agreement).astype(np.float32),
            box_px=(x0, y0, x1, y1),
            flag="doubtful" if sure < self.min_confidence or among_others else "ok",
        )


def _expected(track: Tracklet, frames: int) -> Float[np.ndarray, "point 2"]:
    """Where its landmarks are looked for: while it keeps still always at one place, so that it is seen alike."""
    expected = track.points_px + frames * track.velocity_px
    if np.linalg.norm(expected - track.held_px, axis=1).mean() > _STILL * track.size_px:
        track.held_px, track.still = expected, 0
    else:
        track.still += 1
    return track.held_px


def is_place(points_px: Float[np.ndarray, "point 2"], box_px: Float[np.ndarray, "4"], image: ThermalImage) -> bool:
    """Whether landmarks are numbers, and their face's middle lies in the picture."""
    height, width = image.values.shape[-2:]
    middle = middle_of(box_px)
    return bool(np.isfinite(points_px).all() and (middle > 0).all() and (middle < [width, height]).all())


def is_part_of(found_px: Sequence[float], face_px: Float[np.ndarray, "4"]) -> bool:
    """Whether a box is a small one whose middle lies in the head of a face that is followed."""
    found, face = (np.asarray(box, dtype=float).reshape(2, 2) for box in (found_px, face_px))
    size, of_face = found[1] - found[0], face[1] - face[0]
    off = np.abs(found.mean(axis=0) - face.mean(axis=0)) / of_face
    return bool(off.max() < _HEAD / 2 and size.prod() < _PART * of_face.prod())
