"""How far single factors of the renderer move a network's points from the rendered ones.

`python docs/studies/rendered_factors.py [checkpoint=thermal_real]` renders the same people with one factor moved and
prints, in percent of the inter-ocular distance, how far predicted points lie below the rendered ones (mean), beside
their mean error. A factor that a network errs on by as much as it errs on real faces may be what it never learned.
"""

import sys
from typing import Any

import numpy as np
from landmark_cues import AT, faces_of

from thermal_faces import SyntheticFaces
from thermal_landmarks.inference.predictor import Predictor

PEOPLE = 40
SHOWN = ("upper_lip", "lower_lip", "chin", "eye_left_inner", "eye_right_outer", "nose_tip")
FACTORS: dict[str, dict[str, Any]] = {
    "as the ranges' defaults": {},
    "upper lip 6.5 mm thinner": {"anatomy": {"upper_lip_thinner_mm": (6.5, 6.5)}},
    "lower lip 5 mm thinner": {"anatomy": {"lower_lip_thinner_mm": (5, 5)}},
    "both": {"anatomy": {"upper_lip_thinner_mm": (6.5, 6.5), "lower_lip_thinner_mm": (5, 5)}},
    "lower lids 0.6 above the corners": {"temperature": {"lower_lid_height": (-0.6, -0.6)}},
    "and eyes that stand out by 6 mm": {
        "temperature": {"lower_lid_height": (-0.6, -0.6)},
        "anatomy": {"eye_bulge_mm": (6, 6)},
    },
    "beards over the lips": {"appearance": {"beard": 1.0, "beard_clear": (0.5, 0.5)}},
    "the same, both lips thin": {
        "appearance": {"beard": 1.0, "beard_clear": (0.5, 0.5)},
        "anatomy": {"upper_lip_thinner_mm": (6.5, 6.5), "lower_lip_thinner_mm": (5, 5)},
    },
}


def people(pitch_deg: tuple[float, float], factor: dict[str, Any]) -> SyntheticFaces:
    """Uncovered faces at rest, the same for each factor."""
    return SyntheticFaces(
        subjects=PEOPLE,
        images_per_subject=1,
        size=(360, 480),
        seed=78,
        pose={"yaw_deg": (-8, 8), "pitch_deg": pitch_deg, "roll_deg": (-4, 4), "face_height": (0.6, 0.8)},
        expression={"neutral": 1.0},
        appearance={"glasses_owner": 0.0, "occluder": 0.0, "mask": 0.0, "beard": 0.0, **factor.get("appearance", {})},
        anatomy=factor.get("anatomy"),
        temperature=factor.get("temperature"),
        sensor={"eight_bit": 0.0},
    )


def main(*checkpoint: str) -> None:
    """Prints a table for faces that look at the camera and one for lifted ones."""
    predictor = Predictor.from_checkpoint(checkpoint[0].removeprefix("checkpoint=") if checkpoint else "thermal_real")
    for pitch_deg in ((-4, 6), (18, 28)):
        lines = [f"| lifted by {pitch_deg[0]} to {pitch_deg[1]} degrees | NME | {' | '.join(SHOWN)} |"]
        lines.append("|" + " --- |" * (len(SHOWN) + 2))
        for name, factor in FACTORS.items():
            faces = faces_of(people(pitch_deg, factor))
            found = np.concatenate([predictor([image for image, _ in faces[i : i + 20]]) for i in range(0, PEOPLE, 20)])
            true = np.stack([points for _, points in faces])
            across = true[:, AT["eye_right_outer"]] - true[:, AT["eye_left_outer"]]
            scale = np.linalg.norm(across, axis=1)[:, None] / 100
            down = np.stack([-across[:, 1], across[:, 0]], axis=-1) / scale / 100
            below = np.einsum("fpc,fc->fp", found - true, down) / scale
            error = (np.linalg.norm(found - true, axis=-1) / scale).mean()
            cells = " | ".join(f"{below[:, AT[point]].mean():.1f}" for point in SHOWN)
            lines.append(f"| {name} | {error:.2f} | {cells} |")
        sys.stdout.write("\n".join(lines) + "\n\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
