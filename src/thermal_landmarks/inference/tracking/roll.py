"""The roll of a frame: who is in it, who is missing; and the same some frames later, when it is settled who is who."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from thermal_landmarks.inference.tracking.track import UNKNOWN, Flag, TrackedFace, Tracklet

SHOWN_S = 2.0
"""How long a missing face still has rows."""


class Sighting(NamedTuple):
    """A face in a frame, before it is settled who it is."""

    tracklet: int  # number of its tracklet
    face: TrackedFace  # what is seen of it


class Roll:
    """Gives the faces of each frame the numbers of their tracks, and adds those who are missing.

    Attributes:
        last: Of each track its last frame, and the number of the tracklet that it was.
    """

    def __init__(self, fps: float, landmarks: int) -> None:
        self.fps, self.landmarks = fps, landmarks
        self.last: dict[int, tuple[int, int]] = {}

    def call(self, frame: int, sightings: list[Sighting] | None, tracklets: list[Tracklet]) -> list[TrackedFace]:
        """The faces of a frame in the order of their tracks, undecided ones last, by what is known by now.

        Without sightings nothing can be seen, nor that somebody is hidden.
        """
        known = {each.number: each for each in tracklets}
        here: dict[int, TrackedFace] = {}
        unknown = []
        for number, face in sightings or ():
            tracklet = known[number]
            if not tracklet.confirmed:
                continue
            track = tracklet.track_at(frame)
            undecided = tracklet.undecided is not None and tracklet.undecided <= frame
            flag: Flag = "doubtful" if face.flag == "ok" and (undecided or tracklet.doubtful) else face.flag
            if track is None:
                unknown += [replace(face, track=UNKNOWN, flag=flag)] if undecided and flag != "lost" else []
            elif track not in here or here[track].confidence < face.confidence:
                here[track] = replace(face, track=track, flag=flag)
                self.last[track] = frame, number
        for track, (last, number) in list(self.last.items()):
            if frame - last > SHOWN_S * self.fps:
                del self.last[track]
            elif track not in here:
                tracklet = known[number]
                ended = tracklet.ended is not None and tracklet.ended < frame and tracklet.track == track
                flag = tracklet.state if ended else "hidden"
                here[track] = TrackedFace.missing(track, self.landmarks, "lost" if sightings is None else flag)
        return [here[track] for track in sorted(here)] + unknown


class Settled(NamedTuple):
    """A frame of which it is settled who is in it."""

    frame: int  # its number in the video
    time_s: float  # from the first frame
    faces: list[TrackedFace]  # in it


class Late:
    """Holds frames back until it is decided who is who in them: a few seconds at most."""

    def __init__(self, fps: float, landmarks: int) -> None:
        self._roll = Roll(fps, landmarks)
        self._waiting: deque[tuple[int, int, float, list[Sighting] | None]] = deque()

    def add(self, place: int, frame: int, time_s: float, sightings: list[Sighting] | None) -> None:
        """Take in a frame: its numbers as of the tracker and in the video, and its sightings; None: nothing is seen."""
        self._waiting.append((place, frame, time_s, sightings))

    def settled(self, tracklets: list[Tracklet]) -> Iterator[Settled]:
        """The frames that are settled by now, in order."""
        known = {each.number: each for each in tracklets}
        while self._waiting:
            place, frame, time_s, sightings = self._waiting[0]
            if any(_open(known[each.tracklet], place) for each in sightings or ()):
                return
            self._waiting.popleft()
            yield Settled(frame, time_s, self._roll.call(place, sightings, tracklets))

    def state(self) -> dict[str, Any]:
        """What it goes on from."""
        return {"last": list(self._roll.last.items()), "waiting": list(self._waiting)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` has given, or JSON has made of it."""
        self._roll.last = {track: (last, number) for track, (last, number) in state["last"]}
        self._waiting = deque(
            (place, frame, time_s, None if seen is None else [Sighting(*each) for each in seen])
            for place, frame, time_s, seen in state["waiting"]
        )


def _open(tracklet: Tracklet, frame: int) -> bool:
    if not tracklet.confirmed:
        return tracklet.ended is None
    return tracklet.undecided is not None and tracklet.undecided <= frame
