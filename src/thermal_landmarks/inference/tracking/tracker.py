"""Follows every face of a video from frame to frame, and knows a person again who comes back.

While a face is followed, a frame costs one close look at where it is expected. The finder runs at the start, every
`find_every` frames, and more often while somebody is missing or new; what it finds is matched with the followed faces
by place and size, each time the best assignment of all (SciPy's `linear_sum_assignment`). A new face is told once the
finder has seen it several times. Who a face is, `recognition` decides. Points are never made up: a face that is hidden
or lost has none.
"""

from typing import Any

import numpy as np

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.inference.confidence import Agreement
from thermal_landmarks.inference.face import MIN_SCORE, Face
from thermal_landmarks.inference.faces import faces_at
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.inference.tracking.appearance import likeness, look
from thermal_landmarks.inference.tracking.crossing import separate
from thermal_landmarks.inference.tracking.following import Follower, is_part_of, is_place
from thermal_landmarks.inference.tracking.recognition import DECIDED_S, People, assigned
from thermal_landmarks.inference.tracking.roll import SHOWN_S, Roll, Sighting
from thermal_landmarks.inference.tracking.track import Flag, TrackedFace, Tracklet
from thermal_landmarks.models.face_decoding import Detections, box_overlap

MIN_CONFIDENCE = 0.5
"""Of landmarks that are right; points below are `doubtful`."""

_FIND_S = 0.5  # between two runs of the finder while all faces are followed
_SEARCH_S = 0.1  # the same, while a face is missing or doubtful
_LYING_S = 1.0  # between two looks for faces that lie on their side, while there is nobody
_LYING_BESIDE_S = 3.0  # the same, while others are followed
_SURELY_LYING = 0.9  # score of such a face: of 40 rendered rooms without people one had 0.85, 6 more than 0.6
_SHUTTER_S = 1.5  # without a picture, after which nobody is taken to be where he was
_ABSENT_S = 60.0  # after which a person is forgotten, who then comes back as a new one
_SIGHTS = 3  # of the finder, before a face is told
_LOOK_EVERY = 5  # frames, at what a face looks like while it is clear who it is
_CLEAR = 0.3  # confidence of landmarks from which on a look says who it is
_LEAST_OVERLAP = 0.25  # of a followed face with what the finder sees of it
_DRIFTED = 0.45  # overlap below which the points are looked for again from the finder's box
_SUDDEN = 0.6  # likeness with the frame before, below which the finder is asked at once
_SUPPORT = 0.2  # raw score of the finder that still supports a followed face


class Tracker:
    """All faces of one video.

    `update` says at once what is known of a frame, which `roll.Late` puts right a little later: who a face is that was
    near others shows only when it comes clear of them.

    Args:
        predictor: Of landmarks and faces. `speed="balanced"` is meant for this.
        find_every: Frames between two runs of the finder while all faces are followed. None: those of half a second.
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
        find_every: int | None = None,
        min_score: float = MIN_SCORE,
        min_confidence: float = MIN_CONFIDENCE,
        fps: float = 30.0,
    ) -> None:
        self.predictor = predictor
        self.find_every = find_every or max(1, round(_FIND_S * fps))
        self._search_every = max(1, round(_SEARCH_S * fps))
        self.min_score = min_score
        self.min_confidence = min_confidence
        self.fps = fps
        self.frame = -1
        self.tracklets: list[Tracklet] = []
        self.people = People(fps, _ABSENT_S)
        self.roll = Roll(fps, predictor.scheme.num_points)
        self._follower = Follower(predictor, min_confidence)
        self._next = self._blind = 0
        self._since_found = 10**9

    def update(self, image: ThermalImage, *, location: str = "frame", passed: int = 0) -> list[TrackedFace]:
        """The faces of the next frame as far as they are known by now, in the order of their tracks.

        A face of which it isn't known yet who it is has the track `UNKNOWN`, or the one that it had, and is `doubtful`.

        `passed` frames before it were not looked at; `location` names it in errors.
        """
        sightings = self.see(image, location=location, passed=passed)
        return self.roll.call(self.frame, sightings, self.tracklets)

    def see(self, image: ThermalImage, *, location: str = "frame", passed: int = 0) -> list[Sighting]:
        """As `update`, by the numbers of tracklets."""
        self.frame += 1 + passed
        self._blind = 0
        before = self.followed
        seen = self._follower.follow(image, before, location, frames=1 + passed)
        for track in before:
            if track.number not in seen:
                self._miss(track)
        for behind, slid_to in separate(self.followed, self.frame, self.min_confidence):
            if slid_to is None:
                self._end(behind, "hidden")
            else:
                self.people.slide(behind, slid_to, self.frame)
        for track in self.followed:
            self._compare(track, image)
        self._since_found += 1 + passed
        if self._since_found >= self._wait or any(track.sudden for track in self.followed):
            self._since_found = 0
            self._find(image, seen, location)
        self._look(image)
        there = [track for track in self.followed if track.number in seen]
        sightings = [Sighting(track.number, self._follower.tell(track, seen[track.number])) for track in there]
        self._decide()
        return sightings

    def blind(self) -> list[TrackedFace]:
        """A frame in which nothing can be seen, such as that of a closed shutter: all faces are lost for it.

        When the picture comes back soon, they are looked for where they were.
        """
        self.frame += 1
        self._blind += 1
        self._follower.steadying.forget()
        if self._blind > _SHUTTER_S * self.fps:
            for track in self.followed:
                self._end(track, "lost")
        self._since_found = self._search_every
        self._decide()
        return self.roll.call(self.frame, None, self.tracklets)

    def remind(self, image: ThermalImage | None) -> None:
        """Show a restored tracker the frames before the next one, `steadying.FRAMES` of them; None: a blind one."""
        if image is None:
            self._follower.steadying.forget()
        else:
            self._follower.steadying.keep(image)

    def conclude(self) -> None:
        """The video ends: decide what is open."""
        for track in self.followed:
            track.confirmed |= track.unsupported == 0
        self.people.conclude(self.followed, self.frame)

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
        doubtful = any(
            track.sure < self.min_confidence or (track.like_itself < _SUDDEN and not track.turned) for track in followed
        )
        return self._search_every if missing or doubtful or not followed else self.find_every

    def _decide(self) -> None:
        self.people.decide(self.followed, self.frame)
        for track in self.people.tracks:
            if track.holder is not None:
                track.seen = self.frame
        self.people.forget(self.frame)
        kept = (SHOWN_S + 2 * DECIDED_S) * self.fps
        self.tracklets = [track for track in self.tracklets if track.ended is None or self.frame - track.ended <= kept]

    def _end(self, track: Tracklet, state: Flag) -> None:
        self.people.leave(track, self.frame, state)

    def _miss(self, track: Tracklet) -> None:
        """It isn't seen any more: behind another face if one is near."""
        self._end(track, "hidden" if track.crowded else "lost")
        self._since_found = max(self._since_found, self._search_every)

    def _find(self, image: ThermalImage, seen: dict[int, Agreement], location: str) -> None:
        """Run the finder: it supports faces that are followed, or doesn't, and finds new ones."""
        followed = self.followed
        turns = self._turns(followed)
        found = self.predictor.find(image, turns=turns, whole_image=not any(turns))
        boxes = np.array([track.box_px for track in followed]).reshape(-1, 4)
        overlap = box_overlap(boxes, found.boxes_px.astype(float))
        free = overlap.max(axis=0, initial=0) <= _LEAST_OVERLAP
        supported = set()
        for row, column in assigned(-overlap):
            if overlap[row, column] >= _LEAST_OVERLAP and found.score[column] >= _SUPPORT:
                track, free[column] = followed[row], False
                supported.add(track.number)
                track.score, track.unsupported, track.supported = float(found.score[column]), 0, self.frame
                if track.number in seen:
                    self._confirm(track, seen[track.number])
                if overlap[row, column] < _DRIFTED:
                    (face,) = self._faces(image, found.take(np.array([column])), location)
                    self._follower.move(track, face.points_px.astype(float))
                    seen[track.number] = self._follower.look_again(track, image)
                    track.look = look(image, track.box_px, track.angle)
        for track in followed:
            if track.number not in supported:
                track.unsupported += 1
                long = self.frame - track.supported >= self.find_every or not track.confirmed
                if (long and track.unsupported >= 2) or track.sure < self.min_confidence or track.sudden:
                    self._miss(track)
        self._begin(image, found.take(np.flatnonzero(free)), seen, location)

    def _turns(self, followed: list[Tracklet]) -> list[int]:
        """Quarters by which the picture is turned: none and those of followed faces; now and then to each side."""
        every, apart_s = (self.find_every, _LYING_BESIDE_S) if followed else (self._search_every, _LYING_S)
        lying = self.frame // every % max(1, round(apart_s * self.fps / every)) == 0
        if followed:
            return sorted({0, *(_quarters(track) for track in followed), *((1, 3) if lying else ())})
        return [1, 3] if lying else []

    def _least_score(self, track: Tracklet) -> float:
        return max(self.min_score, _SURELY_LYING) if _quarters(track) else self.min_score

    def _faces(self, image: ThermalImage, found: Detections, location: str) -> list[Face]:
        return faces_at(self.predictor, image, found, self.predictor.confidence, location=location)

    def _begin(self, image: ThermalImage, found: Detections, seen: dict[int, Agreement], location: str) -> None:
        """Follow faces that are new."""
        raw = {tuple(box): float(score) for box, score in zip(found.boxes_px.tolist(), found.score, strict=True)}
        for face in self._faces(image, found, location):
            score = raw.get(face.box_px, face.score)
            track = self._follower.begin(face.points_px.astype(float), self._next, self.frame, score)
            is_part = any(is_part_of(face.box_px, other.box_px) for other in self.followed)
            sure = face.score >= self._least_score(track)
            if sure and not is_part and is_place(track.points_px, track.box_px, image):
                for other in self.followed:
                    if not other.crowded and box_overlap(other.box_px[None], track.box_px[None]).any():
                        other.crowded, other.met = 1, self.frame
                self._next += 1
                self.tracklets.append(track)
                seen[track.number] = self._follower.look_again(track, image)

    def _confirm(self, track: Tracklet, agreement: Agreement) -> None:
        if self.predictor.confidence.found(agreement) >= self._least_score(track):
            track.sights += 1
        if track.sights >= _SIGHTS:
            track.confirmed = True
        elif self.frame - track.started > DECIDED_S * self.fps:
            self._end(track, "lost")

    @staticmethod
    def _compare(track: Tracklet, image: ThermalImage) -> None:
        """See what a face looks like, and whether it has changed all at once."""
        before, track.look = track.look, look(image, track.box_px, track.angle)
        track.sudden = before is not None and likeness(track.look, [before]) < _SUDDEN

    def _look(self, image: ThermalImage) -> None:
        """See what the faces look like: who is open in every frame, the others now and then."""
        for track in self.followed:
            clear = not track.crowded and not track.turned and track.sure >= _CLEAR
            if track.look is None:  # it has just been found
                self._compare(track, image)
            assert track.look is not None
            track.like_itself = self.people.like_itself(track, track.look)
            if track.undecided is not None:
                self.people.compare(track, track.look, self.frame, clear=clear)
            elif clear and track.sure >= self.min_confidence and (self.frame - track.started) % _LOOK_EVERY == 0:
                self.people.remember(track, track.look, self.frame)

    def state(self) -> dict[str, Any]:
        """All that the next frame depends on."""
        return {
            "frame": self.frame,
            "next": self._next,
            "since_found": self._since_found,
            "blind": self._blind,
            "started": self.people.started,
            "tracklets": self.tracklets,
            "tracks": self.people.tracks,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` has given."""
        self.frame, self._next, self._since_found = state["frame"], state["next"], state["since_found"]
        self.people.started, self._blind = state["started"], state["blind"]
        self.tracklets, self.people.tracks = state["tracklets"], state["tracks"]


def _quarters(track: Tracklet) -> int:
    """By which a face is turned."""
    return round(track.angle / (np.pi / 2)) % 4
