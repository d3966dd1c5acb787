# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["mediapipe==0.10.21"]  # the last release whose wheel holds the face mesh's weights; wants numpy < 2
# ///
"""MediaPipe's face mesh on gray pictures, in a process of its own since it wants an older NumPy.

`uv run docs/studies/peers/mediapipe_mesh.py pictures.npz meshes.npz`: reads 8-bit pictures (height, width), the arrays
`0`, `1`, ...; writes `points` (picture, 478, 2) in pixels, centres at integers, NaN where no face was found, and `ms`
(picture,), CPU time of all threads.
"""

import os
import sys
import time
from pathlib import Path

os.environ["GLOG_minloglevel"] = "3"  # noqa: SIM112 (the name that its logging reads)

import mediapipe
import numpy as np


def main(source: Path, target: Path) -> None:
    """Finds the surest face of each picture."""
    pictures = np.load(source)
    points = np.full((len(pictures), 478, 2), np.nan)
    milliseconds = np.zeros(len(pictures))
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True, max_num_faces=1) as mesh:
        if len(pictures):
            mesh.process(np.repeat(pictures["0"][..., None], 3, axis=2))  # its start is not timed
        for row in range(len(pictures)):
            picture = np.repeat(pictures[str(row)][..., None], 3, axis=2)
            started = time.process_time()
            found = mesh.process(picture).multi_face_landmarks
            milliseconds[row] = 1000 * (time.process_time() - started)
            if found:
                height, width = picture.shape[:2]
                places = np.array([(mark.x, mark.y) for mark in found[0].landmark])
                points[row] = places * [width, height] - 0.5
    models = Path(mediapipe.__file__).parent / "modules"
    names = ("face_landmark/face_landmark_with_attention", "face_detection/face_detection_short_range")
    weights = sum((models / f"{name}.tflite").stat().st_size for name in names)
    np.savez(target, points=points, ms=milliseconds, bytes=weights)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
