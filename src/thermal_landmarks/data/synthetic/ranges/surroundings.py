"""What the room and the camera are drawn from. Pairs and probabilities: see `ranges.shape`."""

from dataclasses import dataclass

from thermal_landmarks.data.synthetic.randomness import Range


@dataclass(frozen=True, kw_only=True)
class SceneRanges:
    """The room.

    Attributes:
        ambient_c: Room temperature.
        gradient_k: Between the sides of the background.
        objects: Number of rectangular things in the background.
        object_k: Their temperature relative to the room.
        warm_object: Probability that one of them is a lamp, a screen or a heater.
        warm_object_k: Its temperature relative to the room.
        bystander: Probability of another person far behind.
    """

    ambient_c: Range = (18.0, 26.0)
    gradient_k: Range = (0.0, 1.2)
    objects: Range = (0.0, 6.0)
    object_k: Range = (-1.0, 2.0)
    warm_object: float = 0.15
    warm_object_k: Range = (4.0, 14.0)
    bystander: float = 0.1


@dataclass(frozen=True, kw_only=True)
class SensorRanges:
    """The camera.

    Attributes:
        blur_px: Standard deviation of the optics' blur, in pixels of a frame 480 pixels high.
        noise_k: Temporal noise (NETD).
        pattern_k: Fixed pattern noise of columns and pixels.
        vignette_k: Cooler corners.
        step_k: Resolution of the stored temperatures.
    """

    blur_px: Range = (0.5, 1.3)
    noise_k: Range = (0.03, 0.07)
    pattern_k: Range = (0.0, 0.04)
    vignette_k: Range = (0.0, 0.5)
    step_k: float = 0.01
