"""What the room and the camera are drawn from. Pairs and probabilities: see `ranges.shape`."""

from dataclasses import dataclass

from thermal_faces.randomness import Range


@dataclass(frozen=True, kw_only=True)
class SceneRanges:
    """The room.

    Attributes:
        ambient_c: Room temperature.
        hot_room: Probability of a hot room or a warm car instead.
        hot_room_c: Its temperature, nearly that of skin.
        outdoors: Probability of any other temperature instead, colder than a room or warmer than skin.
        outdoors_c: That temperature.
        gradient_k: Between the sides of the background.
        texture_k: Unevenness of the walls.
        objects: Number of things in the background: boxes, steps, bars, rows of bars.
        object_k: Their temperature relative to the room.
        warm_object: Probability that one of them is a screen, a heater or a sunlit window.
        warm_object_k: Its temperature relative to the room.
        cold_object: Probability of a cold window.
        cold_object_k: Its temperature relative to the room.
        lamp: Probability of small hot spots.
        lamp_k: Their temperature relative to the room.
        bystander: Probability of other people behind.
        bystander_size: Half the width of their heads in frame heights.
        bystander_face_c: Temperature of their faces.
    """

    ambient_c: Range = (18.0, 27.0)
    hot_room: float = 0.07
    hot_room_c: Range = (28.0, 33.0)
    outdoors: float = 0.06
    outdoors_c: Range = (-5.0, 40.0)
    gradient_k: Range = (0.0, 1.2)
    texture_k: Range = (0.0, 0.5)
    objects: Range = (0.0, 7.0)
    object_k: Range = (-1.5, 2.5)
    warm_object: float = 0.2
    warm_object_k: Range = (3.0, 14.0)
    cold_object: float = 0.08
    cold_object_k: Range = (-12.0, -2.0)
    lamp: float = 0.12
    lamp_k: Range = (6.0, 60.0)
    bystander: float = 0.2
    bystander_size: Range = (0.015, 0.06)
    bystander_face_c: Range = (30.0, 36.0)


@dataclass(frozen=True, kw_only=True)
class SensorRanges:
    """The camera and the picture that it gives.

    Attributes:
        interpolated: Probability that the camera has fewer pixels than the frame and is enlarged to it.
        native_height_px: How many rows it then has; frames are 480 rows high.
        blur_px: Standard deviation of the optics' blur, in the camera's own pixels.
        motion: Probability of motion blur.
        motion_px: Its length, in pixels of a frame 480 rows high.
        noise_k: Temporal noise (NETD) of a pixel of the camera.
        pattern_k: Fixed pattern noise of columns and of rows.
        dead_pixels: Number of pixels that a neighbour's value replaces.
        vignette_k: Cooler corners.
        shading_k: Smooth unevenness over the frame.
        sharpened: Probability of sharpening.
        sharpening: Its strength; edges overshoot.
        offset_k: Error of all temperatures, as the camera drifts.
        gain: How much of a difference to the room's temperature is left, as emissivity is set too high.
        step_k: Resolution of the stored temperatures.
        eight_bit: Probability that only an 8-bit gray picture is kept. What follows concerns these.
        inverted: Probability of cold shown bright.
        palette: Probability of a colour palette turned to gray.
        equalised: Probability of histogram equalisation or local gain in place of even scaling.
        gamma: Exponent of the tone curve.
        jpeg: Probability of lossy compression.
        jpeg_step: Coarseness of its quantisation in gray levels.
    """

    interpolated: float = 0.35
    native_height_px: Range = (120.0, 400.0)
    blur_px: Range = (0.4, 1.1)
    motion: float = 0.1
    motion_px: Range = (1.5, 7.0)
    noise_k: Range = (0.03, 0.1)
    pattern_k: Range = (0.0, 0.05)
    dead_pixels: Range = (0.0, 20.0)
    vignette_k: Range = (0.0, 0.6)
    shading_k: Range = (0.0, 0.2)
    sharpened: float = 0.35
    sharpening: Range = (0.2, 1.5)
    offset_k: Range = (-2.0, 2.0)
    gain: Range = (0.9, 1.0)
    step_k: Range = (0.01, 0.1)
    eight_bit: float = 0.3
    inverted: float = 0.15
    palette: float = 0.2
    equalised: float = 0.3
    gamma: Range = (0.7, 1.7)
    jpeg: float = 0.3
    jpeg_step: Range = (1.0, 5.0)
