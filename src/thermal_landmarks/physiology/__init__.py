"""From tracked points and the frames of a video to signals of the body."""
