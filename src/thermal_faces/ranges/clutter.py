"""What surrounds the people of a scene. Pairs and probabilities: see `ranges.shape`."""

from dataclasses import dataclass

from thermal_faces.randomness import Range


@dataclass(frozen=True, kw_only=True)
class ClutterRanges:
    """Things, animals, landscapes and marks of the camera.

    Attributes:
        things: Number of kettles, lamps, screens and so on (`scene.things`); half as many more where nobody is.
        animals: Number of animals, likewise.
        thing_size: Their size as a fraction of the frame's height; small ones more often.
        landscape: Probability of sky, ground, trees and houses, among scenes that are colder or warmer than rooms.
        indoor_c: What counts as the temperature of rooms.
        in_front: Probability of furniture, posts or plants before the people.
        glass: Probability of a pane that mirrors the people.
        burnt_in: Probability of logo, scale, crosshairs and numbers, among 8-bit pictures.
        smallest_px: Faces whose box is less high in the camera's own pixels are neither looked for nor counted.
    """

    things: Range = (0.0, 4.4)
    animals: Range = (-1.4, 1.6)
    thing_size: Range = (0.03, 0.4)
    landscape: float = 0.75
    indoor_c: Range = (16.0, 30.0)
    in_front: float = 0.2
    glass: float = 0.08
    burnt_in: float = 0.35
    smallest_px: float = 5.0
