"""Scenes for tests: warm ellipses with two dark eyes on a cool ground, made in no time."""

import numpy as np

from thermal_landmarks.data.scenes.annotated import AnnotatedFace, AnnotatedScene


class PaintedScenes:
    """As `thermal_faces.SyntheticScenes`, as far as the finder needs it."""

    def __init__(self, *, images: int, size: tuple[int, int], seed: int = 0) -> None:
        self.images, self.size, self.seed = images, tuple(size), seed

    def __len__(self) -> int:
        return self.images

    def fingerprint(self) -> str:
        return f"painted {self.images} {self.size} {self.seed}"

    def render(self, index: int) -> AnnotatedScene:
        draw = np.random.default_rng([self.seed, index])
        height, width = self.size
        values = (22 + draw.normal(0, 0.3, self.size)).astype(np.float32)
        y, x = np.mgrid[:height, :width]
        faces: list[AnnotatedFace] = []
        for _ in range(draw.integers(0, 4)):
            b = height * draw.uniform(0.06, 0.25)
            a, angle = 0.75 * b, draw.uniform(-0.5, 0.5)
            cx, cy = draw.uniform(0.15, 0.85) * width, draw.uniform(0.2, 0.8) * height
            if any(abs(cx - (f.box_px[0] + f.box_px[2]) / 2) < 2.5 * b for f in faces):
                continue
            u = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
            v = -(x - cx) * np.sin(angle) + (y - cy) * np.cos(angle)
            values[(u / a) ** 2 + (v / b) ** 2 < 1] = 34
            for side in (-0.4, 0.4):
                values[((u / a - side) / 0.2) ** 2 + ((v / b + 0.2) / 0.15) ** 2 < 1] = 37
            half_w = np.hypot(a * np.cos(angle), b * np.sin(angle))
            half_h = np.hypot(a * np.sin(angle), b * np.cos(angle))
            faces.append(AnnotatedFace((cx - half_w, cy - half_h, cx + half_w, cy + half_h), float(np.rad2deg(angle))))
        return AnnotatedScene(values, "celsius", tuple(faces))
