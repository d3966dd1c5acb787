"""Videos of any container as a stream of frames: `open_video`."""

from thermal_landmarks.data.video.frame import VideoFrame
from thermal_landmarks.data.video.opening import open_video
from thermal_landmarks.data.video.video import Video

__all__ = ["Video", "VideoFrame", "open_video"]
