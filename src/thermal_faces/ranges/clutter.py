"""What surrounds the people of a scene. Pairs and probabilities: see `ranges.shape`."""

from dataclasses import dataclass

from thermal_faces.randomness import Range


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
