"""What the room and the camera are drawn from. Pairs and probabilities: see `ranges.shape`."""

from dataclasses import dataclass

from thermal_faces.randomness import Range


@dataclass(frozen=True, kw_only=True)
class SceneRanges:
    """The room."""

    ambient_c: Range = (18.0, 27.0)  # room temperature
    hot_room: float = 0.07  # probability of a hot room or a warm car instead
    hot_room_c: Range = (28.0, 33.0)  # its temperature, nearly that of skin
    outdoors: float = 0.06  # probability of any other temperature instead, colder than a room or warmer than skin
    outdoors_c: Range = (-5.0, 40.0)  # that temperature
    gradient_k: Range = (0.0, 1.2)  # between the sides of the background
    texture_k: Range = (0.0, 0.5)  # unevenness of the walls
    objects: Range = (0.0, 7.0)  # number of things in the background: boxes, steps, bars, rows of bars
    object_k: Range = (-1.5, 2.5)  # their temperature relative to the room
    warm_object: float = 0.2  # probability that one of them is a screen, a heater or a sunlit window
    warm_object_k: Range = (3.0, 14.0)  # its temperature relative to the room
    cold_object: float = 0.08  # probability of a cold window
    cold_object_k: Range = (-12.0, -2.0)  # its temperature relative to the room
    lamp: float = 0.12  # probability of small hot spots
    lamp_k: Range = (6.0, 60.0)  # their temperature relative to the room
    bystander: float = 0.2  # probability of other people behind
    bystander_size: Range = (0.015, 0.06)  # half the width of their heads in frame heights
    bystander_face_c: Range = (30.0, 36.0)  # temperature of their faces


@dataclass(frozen=True, kw_only=True)
class SensorRanges:
    """The camera and the picture that it gives."""

    interpolated: float = 0.35  # probability that the camera has fewer pixels than the frame and is enlarged to it
    native_height_px: Range = (120.0, 400.0)  # how many rows it then has; frames are 480 rows high
    blur_px: Range = (0.4, 1.1)  # standard deviation of the optics' blur, in the camera's own pixels
    motion: float = 0.1  # probability of motion blur
    motion_px: Range = (1.5, 7.0)  # its length, in pixels of a frame 480 rows high
    noise_k: Range = (0.03, 0.1)  # temporal noise (NETD) of a pixel of the camera
    pattern_k: Range = (0.0, 0.05)  # fixed pattern noise of columns and of rows
    dead_pixels: Range = (0.0, 20.0)  # number of pixels that a neighbour's value replaces
    vignette_k: Range = (0.0, 0.6)  # cooler corners
    shading_k: Range = (0.0, 0.2)  # smooth unevenness over the frame
    sharpened: float = 0.35  # probability of sharpening
    sharpening: Range = (0.2, 1.5)  # its strength; edges overshoot
    offset_k: Range = (-2.0, 2.0)  # error of all temperatures, as the camera drifts
    # How much of a difference to the room's temperature is left, as emissivity is set too high
    gain: Range = (0.9, 1.0)
    step_k: Range = (0.01, 0.1)  # resolution of the stored temperatures
    eight_bit: float = 0.3  # probability that only an 8-bit gray picture is kept. What follows concerns these.
    inverted: float = 0.15  # probability of cold shown bright
    palette: float = 0.2  # probability of a colour palette turned to gray
    equalised: float = 0.3  # probability of histogram equalisation or local gain in place of even scaling
    gamma: Range = (0.7, 1.7)  # exponent of the tone curve
    jpeg: float = 0.3  # probability of lossy compression
    jpeg_step: Range = (1.0, 5.0)  # coarseness of its quantisation in gray levels
