"""One frame of a video: as its container stores it, and as the image that the network gets."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from thermal_landmarks.data.annotation import ThermalImage
from thermal_landmarks.data.formats.stored import Stored


@dataclass(frozen=True)
class StoredFrame:
    """What a container holds for one frame."""

    index: int  # from 0
    time_s: float | None  # from the first frame; None: the container has no time stamps
    stored: Stored | None  # its values; None: this frame alone can't be read
    reason: str = ""  # why it can't be read
    place: str = ""  # where it lies, if its number doesn't tell (a file of a folder)


class Container(Protocol):
    """A kind of video file, folder or camera."""

    path: Path  # names it in messages
    unit_beside: Path  # the file beside which its unit may be stated
    name: str  # for people
    n_frames: int | None  # about, where only the duration is stated; None: not known before the end
    fps: float | None  # frames a second as the container says; None: it doesn't
    live: bool  # a stream that can't be read twice

    def read(self, start: int) -> Generator[StoredFrame]:
        """The frames from a number on, each decoded when it is asked for.

        Raises:
            DataError: Where the container ends too early or is damaged, after the frames that came before.
        """
        ...


@dataclass(frozen=True)
class VideoFrame:
    """One frame."""

    index: int  # from 0. Frames that can't be decoded are left out, but count: the next one's number is higher by two.
    time_s: float  # from the first frame
    # In degrees Celsius or gray levels; its `missing` counts values that the video lacks. These are filled by the
    # median of the others.
    image: ThermalImage
    passed: int = 0  # frames before it that were left because they came too fast (see `latest_frames`)
