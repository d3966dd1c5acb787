"""What people, rooms, the things in them and cameras are drawn from. Pairs and probabilities: see `ranges.shape`."""

from dataclasses import dataclass

from thermal_faces.randomness import Range


@dataclass(frozen=True, kw_only=True)
class CrowdRanges:
    """How many people are in a scene, how large they appear, how they stand and where they look."""

    nobody: float = 0.2  # probability of a scene without people
    alone: float = 0.42  # probability of one person, where there are any
    few: float = 0.72  # of two to four, where there are several; the rest are groups of up to `most`
    most: float = 10.0  # largest number of people
    # Brow to chin of the largest face in pixels of the picture; small ones more often (uniform in the logarithm). The
    # upper limit is that of a frame that `face_share` allows.
    face_px: Range = (8.0, 1000.0)
    face_share: float = 0.95  # largest height of a face as a fraction of the frame's height
    others_size: Range = (0.35, 1.0)  # height of the other faces relative to it
    yaw_deg: Range = (-60.0, 60.0)  # turn to the side, more often near 0
    profile: float = 0.25  # probability of any turn in `profile_deg` instead
    profile_deg: Range = (-78.0, 78.0)  # those turns
    away: float = 0.14  # probability of a person whose face can't be seen
    away_deg: Range = (125.0, 235.0)  # how far it is turned then
    pitch_deg: Range = (-32.0, 32.0)  # positive: the face is lifted, or seen from below
    roll_deg: Range = (-45.0, 45.0)  # tilt in the image plane
    level: float = 0.6  # probability of a head tilted by less than a fifth of that
    outside: float = 0.12  # probability that a person may be cut by the frame, face included
    sitting: float = 0.25  # probability of a person who sits
    walking: float = 0.25  # of one who walks
    close_together: float = 0.25  # probability that people stand in front of each other
    # Probability of a person cooler or hotter than the others: from outdoors, behind a thin sheet, after sports
    dim: float = 0.1
    dim_k: Range = (-8.0, 3.0)  # by how much
    cold_skin: float = 0.2  # how far outdoor cold cools a face: share of the difference between 24 degrees and the air


@dataclass(frozen=True, kw_only=True)
class ClutterRanges:
    """Things, animals, landscapes and marks of the camera."""

    # Number of kettles, lamps, screens and so on (`scene.things`); half as many more where nobody is
    things: Range = (0.0, 4.4)
    animals: Range = (-1.4, 1.6)  # number of animals, likewise
    thing_size: Range = (0.03, 0.4)  # their size as a fraction of the frame's height; small ones more often
    # Probability of sky, ground, trees and houses, among scenes that are colder or warmer than rooms
    landscape: float = 0.75
    indoor_c: Range = (16.0, 30.0)  # what counts as the temperature of rooms
    in_front: float = 0.2  # probability of furniture, posts or plants before the people
    glass: float = 0.08  # probability of a pane that mirrors the people
    burnt_in: float = 0.35  # probability of logo, scale, crosshairs and numbers, among 8-bit pictures
    # Faces whose box is less high in the camera's own pixels are neither looked for nor counted
    smallest_px: float = 5.0


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
