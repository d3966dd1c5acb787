"""Videos of any container as a stream of frames: `open_video`."""

from thermal_landmarks.data.video.coded import without_credentials
from thermal_landmarks.data.video.frame import VideoFrame
from thermal_landmarks.data.video.latest import latest_frames
from thermal_landmarks.data.video.opening import is_camera, open_video
from thermal_landmarks.data.video.recording import RECORDING
from thermal_landmarks.data.video.video import Video

__all__ = ["RECORDING", "Video", "VideoFrame", "is_camera", "latest_frames", "open_video", "without_credentials"]
