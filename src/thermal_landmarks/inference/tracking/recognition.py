"""Who is who: people are told apart by what they look like, and only once that can be seen.

A tracklet whose person is open (it has just been found, or was near another face and may have been mistaken for it)
gathers looks while nothing hides it. Then all open tracklets are assigned to all people who may be them at once, at the
least cost of unlike looks, places and sizes. A decision that another assignment could match waits for more looks; when
it has to fall (`DECIDED_S`), the face is doubtful until its looks are clear.
"""

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment

from thermal_landmarks.inference.tracking.appearance import Look, likeness, mean_look, remember
from thermal_landmarks.inference.tracking.track import Flag, Track, Tracklet, size_of

DECIDED_S = 3.0
"""How long it may stay open who a face is."""

_LOOKS = 6  # the last ones of an open tracklet, that say who it is
_NEW_S = 1.0  # for which a face may come out from behind another one before it is taken for somebody new
_NEW = 0.3  # cost of being somebody who was never seen
_NEW_AFTER = 0.45  # the same, for a tracklet that was somebody before
_UNSEEN = 0.2  # unlikeness where nothing is known: then the place decides
_PLACE, _SIZE, _CHANGE = 0.15, 0.1, 0.1  # cost of another place, of another size, of another person than before
_MARGIN = 0.08  # of cost, to the next best assignment
_WALK = 5.0  # sizes of a face, in a second
_STRANGE, _STRANGE_LOOKS = 0.5, 3  # likeness with one's own track below which it may be somebody else
_LIKE = 0.6  # likeness below which a face that becomes another one is neither
_IMPOSSIBLE = 1e6
_MOST_TRACKS = 100  # people who are remembered


class People:
    """All people of a video; one who isn't seen is remembered for `absent_s`."""

    def __init__(self, fps: float, absent_s: float) -> None:
        self.fps, self.absent_s = fps, absent_s
        self.tracks: list[Track] = []
        self.started = 0

    def remember(self, tracklet: Tracklet, seen: Look, frame: int) -> None:
        """Take in a look at a face of which it is decided who it is; it is opened again if it is strange."""
        track = self._of(tracklet)
        if track is None:
            return
        alike = likeness(seen, track.views) if track.views else 1.0
        tracklet.strange = tracklet.strange + 1 if alike < _STRANGE else 0
        if tracklet.strange >= _STRANGE_LOOKS and self._may_have_changed(tracklet, frame):
            tracklet.open(frame)
        elif alike >= _STRANGE:
            remember(track.views, seen)
            if tracklet.doubtful:
                others = [likeness(seen, each.views) for each in self.tracks if each is not track and each.views]
                tracklet.doubtful = max(others, default=0.0) > alike - _MARGIN

    def like_itself(self, tracklet: Tracklet, seen: Look) -> float:
        """Likeness of a look with the tracklet's own track; 1 where that isn't known."""
        track = self._of(tracklet)
        return likeness(seen, track.views) if track is not None and track.views else 1.0

    def compare(self, tracklet: Tracklet, seen: Look, frame: int, *, clear: bool) -> None:
        """Take in a look at an open face; `clear`: nothing hides it."""
        alike = {str(track.number): likeness(seen, track.views) for track in self.tracks if track.views}
        tracklet.likeness.append((frame, alike))
        if clear:
            tracklet.looks = [*tracklet.looks[1 - _LOOKS :], seen]

    def decide(self, tracklets: list[Tracklet], frame: int) -> None:
        """Decide of those who are open and clear who they are."""
        unclear = [each for each in tracklets if each.undecided is not None and each.confirmed]
        while unclear:
            free = self._free(tracklets)
            cost = self._costs(unclear, free, frame)
            given, total = _assigned(cost)
            margins = {row: _without(cost, row, given[row]) - total for row in range(len(unclear))}
            late = {row for row in margins if self._open_s(unclear[row], frame) >= DECIDED_S}
            clear = {
                row for row in margins if margins[row] >= _MARGIN and self._ready(unclear[row], free, given[row], frame)
            }
            row = max(clear or late, key=margins.__getitem__, default=None)
            if row is None:
                return
            tracklet = unclear.pop(row)
            tracklet.doubtful = margins[row] < _MARGIN
            self._give(tracklet, free[given[row]] if given[row] < len(free) else None, frame)

    def leave(self, tracklet: Tracklet, frame: int, state: Flag) -> None:
        """A tracklet isn't seen any more from a frame on; who it was is decided with what is known."""
        tracklet.ended, tracklet.state = frame - 1, state
        if tracklet.undecided is not None and tracklet.confirmed:
            self.conclude([tracklet], frame)
        track = self._of(tracklet)
        if track is not None and track.holder == tracklet.number:
            self._release(track, tracklet, frame)

    def slide(self, tracklet: Tracklet, other: Tracklet, frame: int) -> None:
        """A tracklet has slid to another one's face; from where it did so its points are no one's."""
        mine, others = tracklet.track, other.track
        since = frame if mine is None or others is None else changed(tracklet, mine, others)[0]
        self.leave(tracklet, frame, "hidden")
        if mine is not None and tracklet.track == mine:
            tracklet.names.append((since, None))

    def conclude(self, tracklets: list[Tracklet], frame: int) -> None:
        """Decide of all who are open, however little is known.

        A face that is seen for a moment, while others are missing whom it doesn't look like, is told as no one.
        """
        unclear = [each for each in tracklets if each.undecided is not None and each.confirmed]
        if not unclear:
            return
        free = self._free(tracklets)
        given, _ = _assigned(self._costs(unclear, free, frame))
        for row, tracklet in enumerate(unclear):
            track = free[given[row]] if given[row] < len(free) else None
            if track is None and free and self._open_s(tracklet, frame) < _NEW_S:
                tracklet.undecided = None
            else:
                self._give(tracklet, track, frame)

    def _ready(self, tracklet: Tracklet, free: list[Track], given: int, frame: int) -> bool:
        """Whether enough is known to decide; somebody new isn't decided in haste while others are missing."""
        if given >= len(free) and free and self._open_s(tracklet, frame) < _NEW_S:
            return False
        return len(tracklet.looks) == _LOOKS or (not free and tracklet.track is None)

    def _may_have_changed(self, tracklet: Tracklet, frame: int) -> bool:
        """Whether it can be somebody else by now; who was alone all the time is the same however he looks."""
        return self._met(tracklet, frame) or any(each.holder is None for each in self.tracks)

    def _met(self, tracklet: Tracklet, frame: int) -> bool:
        """Whether another face was near a short while before."""
        since = frame if tracklet.undecided is None else tracklet.undecided
        return tracklet.met is not None and since - tracklet.met <= DECIDED_S * self.fps

    def _open_s(self, tracklet: Tracklet, frame: int) -> float:
        return (frame - (frame if tracklet.undecided is None else tracklet.undecided)) / self.fps

    def forget(self, frame: int) -> None:
        """Those who were away for long; of too many, those who were away longest."""
        self.tracks = [
            each for each in self.tracks if each.holder is not None or frame - each.seen <= self.absent_s * self.fps
        ]
        away = sorted((each for each in self.tracks if each.holder is None), key=lambda each: each.seen)
        for track in away[: max(0, len(self.tracks) - _MOST_TRACKS)]:
            self.tracks.remove(track)

    def _of(self, tracklet: Tracklet) -> Track | None:
        return next((each for each in self.tracks if each.number == tracklet.track), None)

    def _free(self, tracklets: list[Tracklet]) -> list[Track]:
        """Who an open tracklet may be: those who are missing, and those who are open themselves."""
        taken = {each.number for each in tracklets if each.undecided is None}
        known = {each.number for each in tracklets}
        return [
            track
            for track in self.tracks
            if track.holder is None or (track.holder in known and track.holder not in taken)
        ]

    def _costs(self, unclear: list[Tracklet], free: list[Track], frame: int) -> Float[np.ndarray, "tracklet track"]:
        """Of each tracklet being each person; at the end one column a tracklet, for somebody new."""
        cost = np.full((len(unclear), len(free) + len(unclear)), _IMPOSSIBLE)
        for row, tracklet in enumerate(unclear):
            if tracklet.track is None or self._met(tracklet, frame):
                cost[row, len(free) + row] = _NEW if tracklet.track is None else _NEW_AFTER
            for column, track in enumerate(free):
                cost[row, column] = self._cost(tracklet, track, frame)
        return cost

    def _cost(self, tracklet: Tracklet, track: Track, frame: int) -> float:
        known = bool(tracklet.looks and track.views)
        unlike = 1 - likeness(mean_look(tracklet.looks), track.views) if known else _UNSEEN
        if track.number == tracklet.track:
            return unlike
        if track.holder is None:
            began = tracklet.started if tracklet.track is None else frame
            away_s = max(0, began - track.seen) / self.fps
            distance = np.linalg.norm(tracklet.anchor_px - track.expected_px(began))
            place = min(1.0, float(distance) / (track.size_px * (0.5 + _WALK * away_s)))
        else:
            place = 0.5
        size = min(1.0, abs(float(np.log(size_of(tracklet.box_px) / track.size_px))))
        return unlike + _PLACE * place + _SIZE * size + (_CHANGE if tracklet.track is not None else 0.0)

    def _give(self, tracklet: Tracklet, track: Track | None, frame: int) -> None:
        """Decide who it is, and since when."""
        before, since = self._of(tracklet), tracklet.undecided or 0
        if track is None:
            track = Track(self.started, [], None, frame, tracklet.box_px.copy(), tracklet.velocity_px.copy())
            self.started += 1
            self.tracks.append(track)
        if track is not before:
            if before is not None:
                left, since = changed(tracklet, before.number, track.number)
                tracklet.names.append((left, None))
                if before.holder == tracklet.number:
                    self._release(before, tracklet, left)
            tracklet.names.append((since, track.number))
            track.holder = tracklet.number
        if tracklet.looks:
            remember(track.views, mean_look(tracklet.looks))
        tracklet.undecided, tracklet.strange, tracklet.looks, tracklet.likeness = None, 0, [], []

    @staticmethod
    def _release(track: Track, tracklet: Tracklet, frame: int) -> None:
        """It isn't this tracklet any more; if it went behind another face it goes on there as it came."""
        track.holder, track.seen = None, frame - 1
        track.box_px, track.velocity_px = tracklet.box_px.copy(), tracklet.velocity_px.copy()
        if tracklet.state == "hidden":
            shift = tracklet.reckoned_px - tracklet.middle_px
            track.box_px += np.concatenate([shift, shift])
            track.velocity_px = tracklet.steady_px.copy()


def changed(tracklet: Tracklet, before: int, after: int) -> tuple[int, int]:
    """When an open tracklet went from one track to another one: its first frames off the one, and on the other."""
    if not tracklet.likeness:
        start = tracklet.started if tracklet.undecided is None else tracklet.undecided
        return start, start
    usual = 1 - _NEW_AFTER  # of somebody who was never seen before
    frames = [frame for frame, _ in tracklet.likeness]
    old = np.array([alike.get(str(before), usual) for _, alike in tracklet.likeness])
    new = np.array([alike.get(str(after), usual) for _, alike in tracklet.likeness])
    turn = int(np.argmax(np.cumsum((new - old)[::-1])[::-1]))
    left = arrived = turn
    while left > 0 and old[left - 1] < _LIKE:
        left -= 1
    known = any(str(after) in alike for _, alike in tracklet.likeness)
    while known and arrived < len(frames) - 1 and new[arrived] < _LIKE:
        arrived += 1
    return frames[left], frames[arrived]


def assigned(cost: Float[np.ndarray, "row column"]) -> list[tuple[int, int]]:
    """Pairs of rows and columns of the least cost in all."""
    rows, columns = linear_sum_assignment(cost)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _assigned(cost: Float[np.ndarray, "row column"]) -> tuple[dict[int, int], float]:
    given = dict(assigned(cost))
    return given, float(sum(cost[row, column] for row, column in given.items()))


def _without(cost: Float[np.ndarray, "row column"], row: int, column: int) -> float:
    """The least cost in all if one pair is forbidden."""
    other = cost.copy()
    other[row, column] = _IMPOSSIBLE
    return _assigned(other)[1]
