"""One frame of a video: as its container stores it, and as the image that the network gets."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.stored import Stored


@dataclass(frozen=True)
class StoredFrame:
    """What a container holds for one frame.

    Attributes:
        index: From 0.
        time_s: From the first frame; None: the container has no time stamps.
        stored: Its values; None: this frame alone can't be read.
        reason: Why it can't be read.
        place: Where it lies, if its number doesn't tell (a file of a folder).
    """

    index: int
    time_s: float | None
    stored: Stored | None
    reason: str = ""
    place: str = ""


class Container(Protocol):
    """A kind of video file, folder or camera.

    Attributes:
        path: Names it in messages.
        unit_beside: The file beside which its unit may be stated.
        name: For people.
        n_frames: About, where only the duration is stated; None: not known before the end.
        fps: Frames a second as the container says; None: it doesn't.
        live: A stream that can't be read twice.
    """

    path: Path
    unit_beside: Path
    name: str
    n_frames: int | None
    fps: float | None
    live: bool

    def read(self, start: int) -> Generator[StoredFrame]:
        """The frames from a number on, each decoded when it is asked for.

        Raises:
            DataError: Where the container ends too early or is damaged, after the frames that came before.
        """
        ...


@dataclass(frozen=True)
class VideoFrame:
    """One frame.

    Attributes:
        index: From 0. Frames that can't be decoded are left out, but count: the next one's number is higher by two.
        time_s: From the first frame.
        image: In degrees Celsius or gray levels; its `missing` counts values that the video lacks. These are filled by
            the median of the others.
    """

    index: int
    time_s: float
    image: ThermalImage
