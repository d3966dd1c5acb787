"""Follows every face of a video from frame to frame, and knows a person again who comes back.

While a face is followed, a frame costs one close look at where it is expected. The finder runs at the start, every
`find_every` frames, and more often while nobody or not everybody is seen; found faces are matched with tracks by place
and size (those that are followed) or by place, size and appearance (those that are missing), each time the best
assignment of all (SciPy's `linear_sum_assignment`). Points are never made up: a face that is hidden or lost has none.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.inference.confidence import Agreement
from thermal_landmarks.inference.face import MIN_SCORE, Face
from thermal_landmarks.inference.faces import faces_at
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.tracking.following import Follower
from thermal_landmarks.inference.tracking.recognition import assigned, strangeness, unlikeness
from thermal_landmarks.inference.tracking.track import Flag, Track, TrackedFace
from thermal_landmarks.models.face_decoding import box_overlap

MIN_CONFIDENCE = 0.5
"""Of landmarks that are right; points below are `doubtful`."""

_SEARCH_EVERY = 3  # frames, while a face is missing or doubtful
_ABSENT_S = 20.0  # after which a person is forgotten, who then comes back as a new one
_SHOWN_S = 2.0  # how long a missing face still has rows
_LEAST_OVERLAP = 0.25  # of a followed face with what the finder sees of it
_COVERED = 0.15  # overlap from which on an unsure face is taken to be behind the other one
_SAME_FACE = 0.5  # overlap of two tracks that follow the same face
_DRIFTED = 0.45  # overlap below which the points are looked for again from the finder's box
_SUPPORT = 0.2  # raw score of the finder that still supports a followed face
_MOST_SHIFT = 0.6  # of a face's size in a frame, beside the expected motion
_MOST_GROWTH = 0.4  # of the logarithm of a face's size in a frame
_WEAK, _WEAK_FRAMES = 0.03, 5
_SAME_PERSON = 1.4  # largest cost of knowing a missing face again


class Tracker:
    """All tracks of one video.

    Args:
        predictor: Of landmarks and faces. `speed="balanced"` is meant for this.
        find_every: Frames between two runs of the finder while all faces are followed.
        min_score: Probability of being a face from which on a track begins.
        min_confidence: Of landmarks; below, they are flagged `doubtful`.
        fps: Frames a second, for what is told in seconds.
    """

    def __init__(
        self,
        predictor: Predictor,
        *,
        find_every: int = 15,
        min_score: float = MIN_SCORE,
        min_confidence: float = MIN_CONFIDENCE,
        fps: float = 30.0,
    ) -> None:
        self.predictor = predictor
        self.find_every = find_every
        self.min_score = min_score
        self.min_confidence = min_confidence
        self.fps = fps
        self.tracks: list[Track] = []
        self._follower = Follower(predictor)
        self._next = 0
        self._since_found = 10**9

    def update(self, image: ThermalImage, *, location: str = "frame") -> list[TrackedFace]:
        """The faces of the next frame, in the order of their tracks.

        Args:
            image: The frame.
            location: Names it in errors.
        """
        seen = self._follow(image, location)
        self._separate(image, seen)
        self._since_found += 1
        if self._since_found >= self._wait:
            self._since_found = 0
            self._find(image, seen, location)
        faces = [self._told(track, seen.get(track.number)) for track in self.tracks if self._shown(track)]
        for track in self.tracks:
            if track.missing:
                track.missing += 1
        self.tracks = [track for track in self.tracks if track.missing <= _ABSENT_S * self.fps]
        return faces

    def blind(self) -> list[TrackedFace]:
        """A frame in which nothing can be seen, such as that of a closed shutter: all faces are lost for it."""
        for track in self.tracks:
            if track.missing:
                track.missing += 1
            else:
                track.lose("lost")
        self._since_found = _SEARCH_EVERY
        return [self._told(track, None) for track in self.tracks if self._shown(track)]

    @property
    def started(self) -> int:
        """Number of tracks so far."""
        return self._next

    @property
    def _wait(self) -> int:
        followed = [track for track in self.tracks if not track.missing]
        missing = any(track.missing and self._shown(track) for track in self.tracks)
        doubtful = any(track.sure < self.min_confidence for track in followed)
        return _SEARCH_EVERY if missing or doubtful or not followed else self.find_every

    def _shown(self, track: Track) -> bool:
        return track.missing <= _SHOWN_S * self.fps

    def _follow(self, image: ThermalImage, location: str) -> dict[int, Agreement]:
        """Look where each followed face is expected; those that aren't there are lost."""
        followed = [track for track in self.tracks if not track.missing]
        expected = [track.points_px + track.velocity_px for track in followed]
        seen = {}
        for track, looks in zip(followed, self._follower(image, expected, location=location), strict=True):
            points = looks.mean(axis=0).astype(float)
            box, angle = self._follower.box(points)
            agreement = Agreement.of(looks, box, track.score, image.values.shape[-2:])
            moved = (box[:2] + box[2:]) / 2 - track.middle_px - track.velocity_px
            growth = np.log(np.sqrt((box[2:] - box[:2]).clip(1e-3).prod()) / track.size_px)
            track.sure = self.predictor.confidence.face(agreement)
            track.weak = track.weak + 1 if track.sure < _WEAK else 0
            jumped = np.linalg.norm(moved) > _MOST_SHIFT * track.size_px or abs(growth) > _MOST_GROWTH
            outside = not _inside((box[:2] + box[2:]) / 2, image)
            if not np.isfinite(points).all() or jumped or outside or track.weak >= _WEAK_FRAMES:
                self._miss(track)
                self._since_found = max(self._since_found, _SEARCH_EVERY)
                continue
            seen[track.number] = agreement
            self._move(track, points, box, angle)
        return seen

    @staticmethod
    def _miss(track: Track) -> None:
        """It isn't seen any more: behind another face if one is near."""
        if track.crowded:
            track.hide()
        else:
            track.lose("lost")

    def _move(self, track: Track, points: np.ndarray, box: np.ndarray, angle: float, *, smooth: float = 0.35) -> None:
        step = (box[:2] + box[2:]) / 2 - track.middle_px
        track.velocity_px = (1 - smooth) * track.velocity_px + smooth * step
        track.points_px, track.box_px, track.angle = points, np.asarray(box, dtype=float), angle

    def _separate(self, image: ThermalImage, seen: dict[int, Agreement]) -> None:
        """Of two tracks on one face, the one that is less likely to be that face is hidden behind it."""
        followed = [track for track in self.tracks if not track.missing]
        boxes = np.array([track.box_px for track in followed]).reshape(-1, 4)
        shared = box_overlap(boxes, boxes)
        np.fill_diagonal(shared, 0)
        for row, track in enumerate(followed):
            if shared[row].max(initial=0) > 0:
                track.crowded += 1
            else:
                track.crowded, track.anchor_px = 0, track.middle_px
                track.steady_px = 0.7 * track.steady_px + 0.3 * track.velocity_px
        for row, column in np.argwhere(np.triu(shared) >= _COVERED).tolist():
            first, second = followed[row], followed[column]
            if first.missing or second.missing:
                continue
            if shared[row, column] < _SAME_FACE:
                behind = min(first, second, key=lambda track: track.sure)
                if behind.sure < self.min_confidence:
                    behind.hide()
                    seen.pop(behind.number, None)
                continue
            patch = self._follower.patch(image, first.box_px, first.angle)
            place = (first.middle_px + second.middle_px) / 2
            behind = max(first, second, key=lambda track: strangeness(track, place, patch))
            behind.hide()
            seen.pop(behind.number, None)
        for track in followed:
            if not track.missing and not track.crowded and self._since_found == 0:
                self._remember(track, image)

    def _remember(self, track: Track, image: ThermalImage, share: float = 0.1) -> None:
        patch = (1 - share) * track.patch + share * self._follower.patch(image, track.box_px, track.angle)
        track.patch = patch / max(float(np.linalg.norm(patch)), 1e-9)

    def _find(self, image: ThermalImage, seen: dict[int, Agreement], location: str) -> None:
        found = self.predictor.finder(image)
        followed = [track for track in self.tracks if not track.missing]
        boxes = np.array([track.box_px for track in followed]).reshape(-1, 4)
        overlap = box_overlap(boxes, found.boxes_px.astype(float))
        free = np.ones(found.number, dtype=bool)
        supported = set()
        for row, column in assigned(-overlap):
            if overlap[row, column] < _LEAST_OVERLAP or found.score[column] < _SUPPORT:
                continue
            track = followed[row]
            free[column] = False
            supported.add(track.number)
            track.score, track.unsupported = float(found.score[column]), 0
            if overlap[row, column] < _DRIFTED:
                self._look_again(track, image, seen, found.take(np.array([column])), location)
        for track in followed:
            if track.number not in supported:
                track.unsupported += 1
                if track.unsupported >= 2 or track.sure < self.min_confidence:
                    self._miss(track)
                    seen.pop(track.number, None)
        covered = overlap.max(axis=0, initial=0) > _LEAST_OVERLAP
        rest = found.take(np.flatnonzero(free & ~covered))
        faces = faces_at(self.predictor, image, rest, self.predictor.confidence, location=location)
        faces = [face for face in faces if face.score >= self.min_score and _inside(_middle(face), image)]
        raw = {tuple(box): float(score) for box, score in zip(rest.boxes_px.tolist(), rest.score, strict=True)}
        self._recognise(image, faces, [raw.get(face.box_px, face.score) for face in faces], seen)

    def _look_again(
        self, track: Track, image: ThermalImage, seen: dict[int, Agreement], found: Any, location: str
    ) -> None:
        (face,) = faces_at(self.predictor, image, found, self.predictor.confidence, location=location)
        seen[track.number] = self._place(track, image, face, track.score)

    def _place(self, track: Track, image: ThermalImage, face: Face, score: float) -> Agreement:
        """The track goes on at a face that the finder has seen."""
        points = face.points_px.astype(float)
        box, angle = self._follower.box(points)
        if track.missing:
            track.velocity_px = np.zeros(2)
            self._move(track, points, box, angle, smooth=0.0)
            track.missing, track.state, track.unsupported, track.crowded = 0, "ok", 0, 0
            track.steady_px, track.anchor_px = np.zeros(2), track.middle_px
        else:
            self._move(track, points, box, angle)
        track.score = score
        (looks,) = self._follower(image, [points], location="frame")
        return Agreement.of(looks, box, score, image.values.shape[-2:])

    def _recognise(
        self, image: ThermalImage, faces: Sequence[Face], scores: Sequence[float], seen: dict[int, Agreement]
    ) -> None:
        """Give found faces to missing tracks that they may be; the others begin new ones."""
        missing = [track for track in self.tracks if track.missing]
        places = [self._follower.box(face.points_px.astype(float)) for face in faces]
        patches = [self._follower.patch(image, *place) for place in places]
        seen_as = list(zip(places, patches, strict=True))
        cost = np.array([[unlikeness(track, box, patch, self.fps) for (box, _), patch in seen_as] for track in missing])
        cost = cost.reshape(len(missing), len(faces))
        given = {column: missing[row] for row, column in assigned(cost) if cost[row, column] <= _SAME_PERSON}
        for column, face in enumerate(faces):
            track = given.get(column)
            if track is None:
                box, angle = places[column]
                track = Track(
                    self._next,
                    *(face.points_px.astype(float), box, angle, scores[column], patches[column]),
                    *(np.zeros(2), np.zeros(2), (box[:2] + box[2:]) / 2),
                )
                self._next += 1
                self.tracks.append(track)
            seen[track.number] = self._place(track, image, face, scores[column])

    def _told(self, track: Track, agreement: Agreement | None) -> TrackedFace:
        number = len(track.points_px)
        if agreement is None or track.missing:
            nothing = np.full((number, 2), np.nan, dtype=np.float32)
            none = (np.nan, np.nan, np.nan, np.nan)
            return TrackedFace(track.number, nothing, 0.0, np.zeros(number, dtype=np.float32), none, track.state)
        confidence = self.predictor.confidence
        sure = confidence.face(agreement)
        flag: Flag = "ok" if sure >= self.min_confidence else "doubtful"
        x0, y0, x1, y1 = (float(end) for end in track.box_px)
        points = confidence.points(agreement).astype(np.float32)
        return TrackedFace(track.number, track.points_px.astype(np.float32), sure, points, (x0, y0, x1, y1), flag)

    def state(self) -> dict[str, Any]:
        """All that the next frame depends on, as plain data."""
        return {
            "next": self._next,
            "since_found": self._since_found,
            "tracks": [track.plain() for track in self.tracks],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` has given."""
        self._next, self._since_found = state["next"], state["since_found"]
        self.tracks = [Track.from_plain(each) for each in state["tracks"]]


def _middle(face: Face) -> Float[np.ndarray, "2"]:
    x0, y0, x1, y1 = face.box_px
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2])


def _inside(place_px: Float[np.ndarray, "2"], image: ThermalImage) -> bool:
    height, width = image.values.shape[-2:]
    return bool((place_px > 0).all() and (place_px < [width, height]).all())
