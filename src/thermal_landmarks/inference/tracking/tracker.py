"""Follows every face of a video from frame to frame, and knows a person again who comes back.

While a face is followed, a frame costs one close look at where it is expected. The finder runs at the start, every
`find_every` frames, and more often while somebody is missing or new; what it finds is matched with the followed faces
by place and size, each time the best assignment of all (SciPy's `linear_sum_assignment`). A new face is told once the
finder has seen it several times. Who a face is, `recognition` decides. Points are never made up: a face that is hidden
or lost has none.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.inference.confidence import Agreement
from thermal_landmarks.inference.face import MIN_SCORE
from thermal_landmarks.inference.faces import faces_at
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.tracking.appearance import look
from thermal_landmarks.inference.tracking.following import Follower
from thermal_landmarks.inference.tracking.recognition import DECIDED_S, People, assigned, changed
from thermal_landmarks.inference.tracking.roll import SHOWN_S, Roll, Sighting
from thermal_landmarks.inference.tracking.steadying import Steadying
from thermal_landmarks.inference.tracking.track import Flag, Track, TrackedFace, Tracklet
from thermal_landmarks.models.face_decoding import box_overlap

MIN_CONFIDENCE = 0.5
"""Of landmarks that are right; points below are `doubtful`."""

_SEARCH_EVERY = 3  # frames, while a face is missing or doubtful
_SHUTTER_S = 1.5  # without a picture, after which nobody is taken to be where he was
_ABSENT_S = 60.0  # after which a person is forgotten, who then comes back as a new one
_SIGHTS = 3  # of the finder, before a face is told
_LOOK_EVERY = 5  # frames, at what a face looks like while it is clear who it is
_CLEAR = 0.3  # confidence of landmarks from which on a look says who it is
_LEAST_OVERLAP = 0.25  # of a followed face with what the finder sees of it
_COVERED = 0.15  # overlap from which on an unsure face is taken to be behind the other one
_SAME_FACE = 0.5  # overlap of two tracklets that follow the same face
_DRIFTED = 0.45  # overlap below which the points are looked for again from the finder's box
_SUPPORT = 0.2  # raw score of the finder that still supports a followed face
_MOST_SHIFT = 0.6  # of a face's size in a frame, beside the expected motion
_MOST_GROWTH = 0.4  # of the logarithm of a face's size in a frame
_STILL = 0.02  # of a face's size, by which its landmarks may move before the network looks elsewhere
_WEAK, _WEAK_FRAMES = 0.03, 5
_SMOOTH, _SMOOTH_STEADY = 0.35, 0.3  # share of a frame's motion in the velocities


class Tracker:
    """All faces of one video.

    `update` says at once what is known of a frame, which `roll.Late` puts right a little later: who a face is that was
    near others shows only when it comes clear of them.

    Args:
        predictor: Of landmarks and faces. `speed="balanced"` is meant for this.
        find_every: Frames between two runs of the finder while all faces are followed.
        min_score: Probability of being a face from which on a track begins.
        min_confidence: Of landmarks; below, they are flagged `doubtful`.
        fps: Frames a second, for what is told in seconds.

    Attributes:
        frame: Number of the last frame.
        tracklets: That are followed, and those that have ended a short while ago.
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
        self.frame = -1
        self.tracklets: list[Tracklet] = []
        self.people = People(fps, _ABSENT_S)
        self.roll = Roll(fps, predictor.scheme.num_points)
        self._follower, self._steadying = Follower(predictor), Steadying()
        self._next = self._blind = 0
        self._since_found = 10**9

    def update(self, image: ThermalImage, *, location: str = "frame") -> list[TrackedFace]:
        """The faces of the next frame as far as they are known by now, in the order of their tracks.

        A face of which it isn't known yet who it is has the track `UNKNOWN`, or the one that it had, and is `doubtful`.

        Args:
            image: The frame.
            location: Names it in errors.
        """
        return self.roll.call(self.frame, self.see(image, location=location), self.tracklets)

    def see(self, image: ThermalImage, *, location: str = "frame") -> list[Sighting]:
        """As `update`, by the numbers of tracklets."""
        self.frame += 1
        self._blind = 0
        seen = self._follow(image, location)
        self._separate()
        self._since_found += 1
        if self._since_found >= self._wait:
            self._since_found = 0
            self._find(image, seen, location)
        self._look(image)
        sightings = [
            Sighting(track.number, self._told(track, seen[track.number]))
            for track in self.followed
            if track.number in seen
        ]
        self._decide()
        return sightings

    def blind(self) -> list[TrackedFace]:
        """A frame in which nothing can be seen, such as that of a closed shutter: all faces are lost for it.

        When the picture comes back soon, they are looked for where they were.
        """
        self.frame += 1
        self._blind += 1
        self._steadying.forget()
        if self._blind > _SHUTTER_S * self.fps:
            for track in self.followed:
                self._end(track, "lost")
        self._since_found = _SEARCH_EVERY
        self._decide()
        return self.roll.call(self.frame, None, self.tracklets)

    def remind(self, image: ThermalImage | None) -> None:
        """Show a restored tracker the frames before the next one, `steadying.FRAMES` of them; None: a blind one."""
        if image is None:
            self._steadying.forget()
        else:
            self._steadying.keep(image)

    def conclude(self) -> None:
        """The video ends: decide what is open."""
        for track in self.followed:
            track.confirmed |= track.unsupported == 0
        self.people.conclude(self.followed, self.frame)

    @property
    def started(self) -> int:
        """Number of people so far."""
        return self.people.started

    @property
    def followed(self) -> list[Tracklet]:
        """Those that are seen."""
        return [track for track in self.tracklets if track.ended is None]

    @property
    def _wait(self) -> int:
        followed = self.followed
        if any(not track.confirmed for track in followed):
            return 1
        shown = SHOWN_S * self.fps
        missing = any(track.holder is None and self.frame - track.seen <= shown for track in self.people.tracks)
        doubtful = any(track.sure < self.min_confidence for track in followed)
        return _SEARCH_EVERY if missing or doubtful or not followed else self.find_every

    def _decide(self) -> None:
        self.people.decide(self.followed, self.frame)
        for track in self.people.tracks:
            if track.holder is not None:
                track.seen = self.frame
        self.people.forget(self.frame)
        kept = (SHOWN_S + 2 * DECIDED_S) * self.fps
        self.tracklets = [track for track in self.tracklets if track.ended is None or self.frame - track.ended <= kept]

    def _follow(self, image: ThermalImage, location: str) -> dict[int, Agreement]:
        """Look where each followed face is expected; those that aren't there are lost."""
        followed = self.followed
        expected = [self._expected(track) for track in followed]
        image = self._steadying(image, [(track.box_px, track.still) for track in followed])
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
                continue
            seen[track.number] = agreement
            self._move(track, points, box, angle)
        return seen

    @staticmethod
    def _expected(track: Tracklet) -> Float[np.ndarray, "point 2"]:
        """Where its landmarks are looked for: while it keeps still always at one place, so that it is seen alike."""
        expected = track.points_px + track.velocity_px
        if np.linalg.norm(expected - track.held_px, axis=1).mean() > _STILL * track.size_px:
            track.held_px, track.still = expected, 0
        else:
            track.still += 1
        return track.held_px

    def _end(self, track: Tracklet, state: Flag) -> None:
        track.end(self.frame, state)
        self.people.leave(track, self.frame)

    def _miss(self, track: Tracklet) -> None:
        """It isn't seen any more: behind another face if one is near."""
        self._end(track, "hidden" if track.crowded else "lost")
        self._since_found = max(self._since_found, _SEARCH_EVERY)

    @staticmethod
    def _move(track: Tracklet, points: np.ndarray, box: np.ndarray, angle: float) -> None:
        step = (box[:2] + box[2:]) / 2 - track.middle_px
        track.velocity_px = (1 - _SMOOTH) * track.velocity_px + _SMOOTH * step
        track.points_px, track.box_px, track.angle = points, np.asarray(box, dtype=float), angle

    def _separate(self) -> None:
        """Of two tracklets on one face, the one that is less likely to be there is hidden behind the other one."""
        followed = self.followed
        boxes = np.array([track.box_px for track in followed]).reshape(-1, 4)
        shared = box_overlap(boxes, boxes)
        np.fill_diagonal(shared, 0)
        for row, track in enumerate(followed):
            if shared[row].max(initial=0) > 0:
                track.crowded += 1
            else:
                track.crowded, track.anchor_px = 0, track.middle_px
                track.steady_px = (1 - _SMOOTH_STEADY) * track.steady_px + _SMOOTH_STEADY * track.velocity_px
        for row, column in np.argwhere(np.triu(shared) >= _COVERED).tolist():
            first, second = followed[row], followed[column]
            if first.ended is not None or second.ended is not None:
                continue
            if first.confirmed and second.confirmed:
                first.open(self.frame)
                second.open(self.frame)
            if shared[row, column] < _SAME_FACE:
                behind = min(first, second, key=lambda track: track.sure)
                if behind.sure < self.min_confidence:
                    self._end(behind, "hidden")
                continue
            place = (first.middle_px + second.middle_px) / 2
            behind = max(
                (first, second),
                key=lambda track: (not track.confirmed, float(np.linalg.norm(track.reckoned_px - place))),
            )
            self._slid(behind, first if behind is second else second)

    def _slid(self, track: Tracklet, other: Tracklet) -> None:
        """A tracklet has slid to another face, that of `other`; where it does so it has no points of its own."""
        mine, others = track.track, other.track
        since = self.frame if mine is None or others is None else changed(track, mine, others)[0]
        self._end(track, "hidden")
        if mine is not None and track.track == mine:
            track.names.append((since, None))

    def _find(self, image: ThermalImage, seen: dict[int, Agreement], location: str) -> None:
        found = self.predictor.find(image)
        followed = self.followed
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
            track.score, track.unsupported, track.supported = float(found.score[column]), 0, self.frame
            if track.number in seen:
                self._confirm(track, seen[track.number])
            if overlap[row, column] < _DRIFTED:
                (face,) = faces_at(self.predictor, image, found.take(np.array([column])), self.predictor.confidence)
                points = face.points_px.astype(float)
                self._move(track, points, *self._follower.box(points))
                seen[track.number] = self._agreement(track, image)
        for track in followed:
            if track.number not in supported:
                track.unsupported += 1
                long = self.frame - track.supported >= self.find_every or not track.confirmed
                if (long and track.unsupported >= 2) or track.sure < self.min_confidence:
                    self._miss(track)
        covered = overlap.max(axis=0, initial=0) > _LEAST_OVERLAP
        rest = found.take(np.flatnonzero(free & ~covered))
        raw = {tuple(box): float(score) for box, score in zip(rest.boxes_px.tolist(), rest.score, strict=True)}
        for face in faces_at(self.predictor, image, rest, self.predictor.confidence, location=location):
            points = face.points_px.astype(float)
            box, angle = self._follower.box(points)
            middle = (box[:2] + box[2:]) / 2
            if face.score < self.min_score or not _inside(middle, image) or not np.isfinite(points).all():
                continue
            track = Tracklet(self._next, self.frame, points, box, angle, raw.get(face.box_px, face.score), points)
            track.anchor_px, track.undecided, track.supported = middle, self.frame, self.frame
            self._next += 1
            self.tracklets.append(track)
            seen[track.number] = self._agreement(track, image)

    def _agreement(self, track: Tracklet, image: ThermalImage) -> Agreement:
        (looks,) = self._follower(image, [track.points_px], location="frame")
        agreement = Agreement.of(looks, track.box_px, track.score, image.values.shape[-2:])
        track.sure = self.predictor.confidence.face(agreement)
        return agreement

    def _confirm(self, track: Tracklet, agreement: Agreement) -> None:
        if self.predictor.confidence.found(agreement) >= self.min_score:
            track.sights += 1
        if track.sights >= _SIGHTS:
            track.confirmed = True
        elif self.frame - track.started > DECIDED_S * self.fps:
            self._end(track, "lost")

    def _look(self, image: ThermalImage) -> None:
        """See what the faces look like: who is open in every frame, the others now and then."""
        for track in self.followed:
            clear = not track.crowded and track.sure >= _CLEAR
            if track.undecided is not None:
                self.people.compare(track, look(image, track.box_px, track.angle), self.frame, clear=clear)
            elif clear and track.sure >= self.min_confidence and (self.frame - track.started) % _LOOK_EVERY == 0:
                self.people.remember(track, look(image, track.box_px, track.angle), self.frame)

    def _told(self, track: Tracklet, agreement: Agreement) -> TrackedFace:
        confidence = self.predictor.confidence
        sure = confidence.face(agreement)
        new_among_others = track.crowded and not track.confirmed
        flag: Flag = "doubtful" if sure < self.min_confidence or new_among_others else "ok"
        x0, y0, x1, y1 = (float(end) for end in track.box_px)
        points = confidence.points(agreement).astype(np.float32)
        return TrackedFace(-1, track.points_px.astype(np.float32), sure, points, (x0, y0, x1, y1), flag)

    def state(self) -> dict[str, Any]:
        """All that the next frame depends on, as plain data."""
        return {
            "frame": self.frame,
            "next": self._next,
            "since_found": self._since_found,
            "blind": self._blind,
            "started": self.started,
            "tracklets": [track.plain() for track in self.tracklets],
            "tracks": [track.plain() for track in self.people.tracks],
            "roll": self.roll.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` has given."""
        self.frame, self._next, self._since_found = state["frame"], state["next"], state["since_found"]
        self.people.started, self._blind = state["started"], state["blind"]
        self.tracklets = [Tracklet.from_plain(each) for each in state["tracklets"]]
        self.people.tracks = [Track.from_plain(each) for each in state["tracks"]]
        self.roll.restore(state["roll"])


def _inside(place_px: Float[np.ndarray, "2"], image: ThermalImage) -> bool:
    height, width = image.values.shape[-2:]
    return bool((place_px > 0).all() and (place_px < [width, height]).all())
