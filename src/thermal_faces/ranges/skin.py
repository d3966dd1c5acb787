"""What temperatures are drawn from. Pairs: see `ranges.shape`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from thermal_faces.randomness import Range


@dataclass(frozen=True, kw_only=True)
class TemperatureRanges:
    """Temperatures of skin, hair and clothes in degrees Celsius; differences (`_k`) are relative to the forehead."""

    forehead_c: Range = (33.2, 36.0)  # of a subject
    drift_k: Range = (-0.4, 0.4)  # change of the whole face from image to image
    # Difference of each region of the skin, of a subject
    regions_k: Mapping[str, Range] = field(
        default_factory=lambda: {
            "nose": (-3.0, 0.3), "nose_bridge": (-1.2, 0.4), "cheeks": (-1.6, 0.3), "lower_cheeks": (-1.4, 0.2),
            "inner_eyes": (0.3, 1.0),
            "orbits": (-0.2, 0.5), "temples": (0.0, 0.9), "glabella": (0.0, 0.6), "perioral": (-0.8, 0.6),
            "chin": (-1.6, 0.2), "jaw": (-1.2, 0.3), "nasolabial": (0.1, 0.8), "upper_forehead": (-0.5, 0.4),
            "neck": (-0.3, 1.0), "ears": (-4.5, -0.3), "under_jaw": (-0.6, 1.2),
        }
    )  # fmt: skip
    region_drift_k: float = 0.25  # change of each region from image to image (standard deviation)
    blotch_k: Range = (0.1, 0.35)  # standard deviation of the irregular skin pattern
    vessel_k: Range = (0.0, 0.7)  # warmth of superficial vessels
    grain_k: Range = (0.03, 0.15)  # standard deviation of the skin's fine mottling
    nostril_k: Range = (-2.0, 1.5)  # of the nostrils, which swing with the breath
    breath_k: Range = (-0.3, 0.3)  # change of the skin below the nostrils by the breath
    pores: float = 0.25  # probability of an image with active perspiration pores
    pore_k: Range = (-1.2, -0.2)  # depth of an active pore on the skin; optics and pixels leave about a quarter of it
    pore_mm: Range = (0.3, 1.0)  # width of a pore
    pore_count: Range = (40.0, 120.0)  # pores of a subject around the upper lip
    mouth_line_k: Range = (-0.9, 0.9)  # of the line between closed lips: warm in some, cold in others
    # Probability that this line is as faint as its draw; in others it has at least half of the strongest draw, so that
    # it shows up to the corners, also where the red ends inside them
    faint_mouth_line: float = 0.25
    upper_lip_k: Range = (-1.4, 0.5)  # of the upper lip's red
    lower_lip_k: Range = (-1.8, 0.5)  # of the lower lip's red
    mouth_cavity_k: Range = (-4.0, 1.5)  # of an open mouth: air that is breathed in cools it
    teeth_k: Range = (-4.0, 0.3)  # of the teeth that show below the upper lip of an open mouth
    upper_lid_k: Range = (-0.5, 0.8)  # between eye and brow
    under_eye_k: Range = (-0.8, 0.5)  # of the crescent below the eye
    ala_k: Range = (-2.2, 0.4)  # of the wings of the nose
    nose_groove_k: Range = (-1.0, 0.6)  # beside the root of the nose
    lid_fold_k: Range = (-0.4, 0.9)  # lines of the eyelids
    lid_crease_k: Range = (-0.7, 0.6)  # the crease above the upper lid
    lash_k: Range = (-1.3, 0.1)  # of the lashes
    lash_patch_k: Range = (-1.8, 0.2)  # of the lashes and their shadow over the outer half of the upper lid
    eye_corner_k: Range = (0.0, 0.7)  # spots in the corners of the eyes
    canthus_k: Range = (-0.1, 1.2)  # of the wedge between the lids at the inner corner; half of it at the outer one
    lid_tail_k: Range = (-0.3, 0.7)  # of the line that goes on from the outer corner
    eyeball_k: Range = (-1.4, 0.5)  # of the cornea
    brow_k: Range = (-1.8, -0.2)  # of the brows
    nose_flank_k: Range = (-1.6, 0.5)  # between the ridge of the nose and the cheek
    lobule_k: Range = (-2.0, 0.3)  # of the cool, bounded shape of tip and wings
    alar_crease_k: Range = (-0.3, 1.5)  # of the crease around the wings and below the nostrils
    # Probability of a nose whose ridge and tip are as warm as the skin beside them; its wings may be cool
    even_nose: float = 0.45
    columella_k: Range = (-0.8, 0.8)  # between the nostrils
    philtrum_k: Range = (-0.4, 0.5)  # ridges of the philtrum; its groove has the other sign
    fold_k: Range = (-0.4, 0.8)  # of the nasolabial fold
    lip_border_k: Range = (-0.4, 0.4)  # of the lips' border
    lip_halo_k: Range = (-0.3, 1.0)  # of the band that surrounds the mouth at some distance
    mouth_corner_k: Range = (-0.5, 0.7)  # of the corners of the mouth
    chin_fold_k: Range = (-0.6, 0.6)  # of the fold between lower lip and chin
    chin_pad_k: Range = (-1.8, 0.3)  # of the pad of the chin
    cheek_patch_k: Range = (-2.6, 0.3)  # of the cool, bounded area between eye, nose, mouth and jaw
    socket_k: Range = (-0.3, 1.0)  # of the bounded area around the eye
    muzzle_k: Range = (-0.5, 1.0)  # of the bounded area around the mouth
    contrast: Range = (0.4, 1.5)  # of a subject: all differences above and those of the regions are multiplied by it
    lobule_edge_mm: Range = (1.5, 7.0)  # width of the border of tip and wings
    lip_edge_softness_mm: Range = (1.0, 5.0)  # width of the border of the lips
    area_edge_mm: Range = (8.0, 30.0)  # width of the borders of cheek patch, socket and muzzle
    area_shift_mm: Range = (-5.0, 5.0)  # how far each of these areas lies below its mean place, of a subject
    area_width: Range = (0.82, 1.45)  # distance of muzzle, cheek patch and nasolabial fold from the middle, relative
    brow_thickness: Range = (0.5, 1.4)  # of the brows, relative
    lid_height: Range = (0.75, 2.1)  # height of the open upper lid, relative
    lower_lid_height: Range = (0.05, 1.1)  # how far the lower lid hangs below the corners of the eye, relative
    crease_height: Range = (0.75, 1.6)  # height of the crease above the upper lid, relative
    canthus_length_mm: Range = (4.0, 10.0)  # length of the wedge at the inner corner
    # How far its warmest place, and the warm spots of both corners, lie inside the corners
    canthus_inset_mm: Range = (0.0, 4.0)
    lash_lift_mm: Range = (0.0, 3.0)  # how far the patch of lashes lies above the lid's edge
    eyeball_edge_mm: Range = (0.8, 3.0)  # width of the border of the eyeball
    chin_pad_edge_mm: Range = (2.0, 10.0)  # width of the border of the pad of the chin
    chin_pad_drop_mm: Range = (-7.0, 4.0)  # how far the pad's lower border lies below the edge of the chin
    chin_pad_half_width_mm: Range = (14.0, 34.0)  # of the pad
    lip_halo_gap_mm: Range = (2.0, 11.0)  # distance of that band from the lips and from the corners of the mouth
    lip_halo_width_mm: Range = (2.5, 6.0)  # its width
    lip_width: Range = (0.55, 1.0)  # of the lips' red, relative to the distance of the corners of the mouth
    teeth_shown_mm: Range = (
        0.0,
        9.0,
    )  # how far the upper teeth reach below the upper lip, where the mouth is open that far
    gape: Range = (0.4, 1.0)  # outline of an open mouth: 1 a lens with pointed corners, less: blunter ones
    lip_box: Range = (0.0, 1.0)  # outline of the lips' red: 0 an arc, 1 a box with round corners
    mouth_line_length: Range = (0.94, 1.1)  # of the line between the lips, relative to the distance of the corners
    nostril_size: Range = (0.7, 1.2)  # of the nostrils, relative
    lobule_shift_mm: Range = (-3.5, 3.5)  # how far the cool shape of tip and wings lies below its mean place
    lobule_size: Range = (0.85, 1.15)  # its size, relative
    lobule_height_mm: Range = (9.0, 18.0)  # how far the bell reaches above the tip
    wing_lean: Range = (0.0, 0.7)  # how far they lean inwards, a tangent
    wing_half_height_mm: Range = (6.5, 11.0)  # half the height of the wings of the nose above their lower edge
    lobule_lobed: Range = (0.0, 1.0)  # outline of tip and wings: 0 a bell, 1 three lobes
    beard_k: Range = (-5.0, -1.0)  # of a full beard
    grazing_loss: Range = (0.1, 0.3)  # how far skin seen edge-on takes on the ambient temperature
    hair_warmth: Range = (0.2, 0.75)  # hair surface between ambient (0) and skin (1)
    cloth_warmth: Range = (0.2, 0.7)  # clothes between ambient (0) and skin (1)
