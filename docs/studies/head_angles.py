"""How far the head's angles by predicted landmarks are from those that people were rendered with.

`uv run python docs/studies/head_angles.py 60` prints mean errors of yaw, pitch and roll in degrees,
of people at a desk.
"""

import numpy as np
import typer

from thermal_faces import SyntheticFaces
from thermal_landmarks import ExportedFaces
from thermal_landmarks.inference.head_pose import head_pose_deg


def main(people: int = typer.Argument(60), seed: int = 77) -> None:
    """Render people, predict their landmarks, and compare."""
    source, exported = SyntheticFaces(subjects=people, images_per_subject=1, seed=seed), ExportedFaces()
    errors = []
    for subject, annotation in enumerate(source.annotations()):
        faces = exported.faces(source.load(annotation).values)
        if faces:
            head = source.portrait(subject, 0).view.head
            errors.append(np.array(head_pose_deg(faces[0].points_px, exported.scheme)) - _angles_deg(head))
    mean = np.abs(np.array(errors)).mean(axis=0)
    print(f"{len(errors)} of {people} found; yaw {mean[0]:.1f}, pitch {mean[1]:.1f}, roll {mean[2]:.1f} degrees")


def _angles_deg(turned: np.ndarray) -> np.ndarray:
    """Of a rotation as `thermal_faces.camera.view.rotation` makes it."""
    yaw = np.arctan2(-turned[2, 0], turned[2, 2])
    return np.degrees([yaw, np.arcsin(turned[2, 1]), np.arctan2(-turned[0, 1], turned[1, 1])])


if __name__ == "__main__":
    typer.run(main)
