"""Cold spots that come and go together at fixed places of the skin: open pores, also those below the camera's noise.

The patches of a recording are registered, so a pore stays under its pixel. What the patches have in common over time is
split into a few components (singular value decomposition, after the traces of motion and what goes with the pose of the
head are taken away), and these are turned until one of their maps consists of spots: of all maps it has the most skewed
values (independent component analysis by skewness, Hyvarinen, Karhunen and Oja 2001, chapter 8). How deep its spots are
is the perspiration. This is done in several ways (more or fewer traces and components), and what most of them agree on
is told: one alone is right for one face and wrong for the next.

Whether pores were seen at all shows in how far the ways agree, and in time: perspiration changes over seconds, noise
from one second to the next, and what a turning head changes goes with its pose.

Of a long recording the maps are learnt from patches that are spread evenly over it, and then asked in all.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple, Protocol

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import gaussian_filter

_FINE_PX = 0.12  # of the patch's height: what is wider is no spot
_COMPONENTS = (4, 5, 6, 8)
_ROUNDS = 60
_DEEPEST = 0.05  # share of the pixels whose mean stands for the depth of the spots
_LEARNT = 600  # patches at most from which the maps are learnt
_AT_ONCE = 256  # patches in memory, where all are asked
_TURNS = 2  # ways in which a head's shape in the picture changes: about yaw and pitch


class Patches(Protocol):
    """Pictures of a region over time: an array, or a file that is read in parts."""

    def __getitem__(self, times: slice, /) -> Float[np.ndarray, "time height width"]: ...


class Spots(NamedTuple):
    """What the spots of a recording do."""

    depth: Float[np.ndarray, " time"]  # their mean depth over time, in the unit of the patches, around its mean
    # 0 to 1: how much of its change lasts for seconds and doesn't go with the pose of the head, times the share of all
    # ways' curves that they agree on
    quality: float


def depth_of_spots(
    patches: Patches,
    times: Int[np.ndarray, " time"],
    weight: Float[np.ndarray, " time"],
    inside: Bool[np.ndarray, "height width"],
    shapes: Float[np.ndarray, "time coordinate"],
) -> Spots:
    """The spots of a recording: what several splits agree on.

    `times` says which of the patches, registered at regular times, are there; `shapes` are the face's landmarks
    relative to its own axes and size, which tell its pose.
    """
    weight = weight / weight.max()
    root = np.sqrt(weight)[:, None]
    turns = _turns(shapes, root)
    some = np.unique(np.linspace(0, len(times) - 1, min(len(times), _LEARNT)).round().astype(int))
    learnt = np.concatenate([patches[time : time + 1] for time in times[some].tolist()])
    fine = _Fine(learnt, weight[some], inside)
    maps = _maps_of_spots(fine, learnt, root[some], turns[some])
    if not len(maps):
        return Spots(np.zeros(len(times)), 0.0)
    return agreed(np.concatenate([fine(part) @ maps.T for part in _parts(patches, times)]), root, turns)


def agreed(
    depths: Float[np.ndarray, "time way"], root: Float[np.ndarray, "time 1"], turns: Float[np.ndarray, "time term"]
) -> Spots:
    """The first component of the curves of all ways, each believed as far as its quality goes."""
    believed = np.array([_quality(depth, root, turns) for depth in depths.T])
    if not believed.any():
        return Spots(np.zeros(len(depths)), 0.0)
    mass = root[:, 0] ** 2
    curves = depths - np.average(depths, axis=0, weights=mass)
    sizes = np.sqrt(np.average(curves**2, axis=0, weights=mass))
    curves *= believed / np.maximum(sizes, 1e-12)
    _, strengths, mixes = np.linalg.svd(root * curves, full_matrices=False)
    # Each way has its spots cold, so most of what is believed rises with the perspiration.
    curve = curves @ mixes[0] * np.sign(mixes[0] @ believed)
    curve *= np.average(sizes, weights=believed) / max(float(np.sqrt(np.average(curve**2, weights=mass))), 1e-12)
    return Spots(curve, _quality(curve, root, turns) * float(strengths[0] ** 2 / (strengths**2).sum()))


class _Fine:
    """What is fine in a region's patches and differs from their mean, pixel by pixel."""

    def __init__(
        self,
        patches: Float[np.ndarray, "time height width"],
        weight: Float[np.ndarray, " time"],
        inside: Bool[np.ndarray, "height width"],
    ) -> None:
        self.inside = inside
        self._sigma = max(1.5, _FINE_PX * float(np.ptp(np.flatnonzero(inside.any(axis=1)))))
        self.mean = np.average(patches, axis=0, weights=weight)
        self._level: Float[np.ndarray, " pixel"] | float = 0.0
        self._level = np.average(self(patches), axis=0, weights=weight)

    def of(self, values: Float[np.ndarray, "height width"]) -> Float[np.ndarray, " pixel"]:
        """What is no wider than a spot."""
        return (values - gaussian_filter(values, self._sigma))[self.inside]

    def __call__(self, patches: Float[np.ndarray, "time height width"]) -> Float[np.ndarray, "time pixel"]:
        return np.stack([self.of(patch - self.mean) for patch in patches]) - self._level


def _maps_of_spots(
    fine: _Fine,
    patches: Float[np.ndarray, "time height width"],
    root: Float[np.ndarray, "time 1"],
    turns: Float[np.ndarray, "time term"],
) -> Float[np.ndarray, "map pixel"]:
    """For each split, what a patch's fine change is to be multiplied with for the depth of its spots."""
    whole = fine(patches)
    same, unequal = ([fine.of(trace) for trace in traces] for traces in _traces(fine.mean))
    row, column = np.nonzero(fine.inside)
    lines = [np.equal.outer(np.unique(of), of).astype(float) for of in (row, column)]
    found = []
    # A lip that moves otherwise than its surroundings, and cameras whose rows or columns tremble each for itself.
    for traces, grain in product((same, [*same, *unequal]), ([], lines[:1], lines)):
        taken = _span(np.concatenate([traces, *grain]))
        change = whole - (whole @ taken.T) @ taken
        of_pose, *_ = np.linalg.lstsq(root * turns, root * change, rcond=None)
        _, size, maps = np.linalg.svd(root * (change - turns @ of_pose), full_matrices=False)
        maps = maps[size > 1e-9 * max(float(size[0]), float(np.linalg.norm(whole)), 1e-30)]
        for components in _COMPONENTS if len(maps) else ():
            spots = _most_skewed(maps[:components])
            unit = np.sort(spots)[-max(1, round(_DEEPEST * len(spots))) :].mean()
            # A map of length 1 whose spots are `unit` high: the depth is what the change has of it.
            found.append(-(spots - (spots @ taken.T) @ taken) * unit)
    return np.array(found)


def _parts(patches: Patches, times: Int[np.ndarray, " time"]) -> Iterator[Float[np.ndarray, "time height width"]]:
    """The patches of these times, some at once."""
    for start in range(0, int(times[-1]) + 1, _AT_ONCE):
        wanted = times[(times >= start) & (times < start + _AT_ONCE)] - start
        if len(wanted):
            yield patches[start : start + _AT_ONCE][wanted]


def _quality(
    depth: Float[np.ndarray, " time"], root: Float[np.ndarray, "time 1"], turns: Float[np.ndarray, "time term"]
) -> float:
    """Correlation of one second with the next one, times the share that the pose does not explain."""
    values = root[:, 0] * (depth - np.average(depth, weights=root[:, 0] ** 2))
    if len(depth) <= 2 * turns.shape[1] or not values.any():
        return 0.0
    by_pose = root * turns @ np.linalg.lstsq(root * turns, values, rcond=None)[0]
    rest = float(((values - by_pose) ** 2).sum() / (values**2).sum())
    lasting = float(np.corrcoef(values[:-1], values[1:])[0, 1])
    return max(0.0, lasting) * rest


def _turns(
    shapes: Float[np.ndarray, "time coordinate"], root: Float[np.ndarray, "time 1"]
) -> Float[np.ndarray, "time term"]:
    """The pose of the head as principal components of its shape in the picture, with their squares and products."""
    beside = shapes - np.average(shapes, axis=0, weights=root[:, 0] ** 2)
    pose = beside @ np.linalg.svd(root * beside, full_matrices=False)[2][:_TURNS].T
    pose /= np.maximum(pose.std(axis=0), 1e-12)
    first, second = pose.T
    return np.stack([np.ones(len(pose)), first, second, first**2, second**2, first * second], axis=1)


def _span(traces: Float[np.ndarray, "trace pixel"]) -> Float[np.ndarray, "axis pixel"]:
    """Perpendicular axes of length 1 that span the traces."""
    length = np.linalg.norm(traces, axis=1, keepdims=True)
    _, size, axes = np.linalg.svd(traces / np.maximum(length, 1e-12), full_matrices=False)
    return axes[size > 1e-6 * size[0]]


def _traces(
    mean: Float[np.ndarray, "height width"],
) -> tuple[list[Float[np.ndarray, "height width"]], list[Float[np.ndarray, "height width"]]]:
    """How a patch changes when it is shifted, turned, stretched, blurred or warmed a little; and when it is bent."""
    down, right = np.gradient(mean)
    y, x = np.mgrid[: mean.shape[0], : mean.shape[1]] / max(mean.shape) - 0.5
    second = [np.gradient(right, axis=1), np.gradient(down, axis=0), np.gradient(right, axis=0)]
    bent = [slope * bend for bend in (x**2, x * y, y**2) for slope in (right, down)]
    return [right, down, right * x, right * y, down * x, down * y, *second, mean], bent


def _most_skewed(maps: Float[np.ndarray, "component pixel"]) -> Float[np.ndarray, " pixel"]:
    """The mix of the maps, of length 1, whose values are skewed most, upwards."""
    white = maps * np.sqrt(maps.shape[1])
    best, most = maps[0], 0.0
    for start in np.eye(len(maps)):
        mix = start
        for _ in range(_ROUNDS):
            turned = white @ (mix @ white) ** 2
            length = np.linalg.norm(turned)
            if length < 1e-12:
                break
            turned /= length
            settled = abs(turned @ mix) > 1 - 1e-9
            mix = turned
            if settled:
                break
        skewness = float(((mix @ white) ** 3).mean())
        if abs(skewness) > most:
            best, most = np.sign(skewness) * (mix @ maps), abs(skewness)
    return best
