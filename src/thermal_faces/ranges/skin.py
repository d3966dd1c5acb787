"""What temperatures are drawn from. Pairs: see `ranges.shape`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from thermal_faces.randomness import Range


@dataclass(frozen=True, kw_only=True)
class TemperatureRanges:
    """Temperatures of skin, hair and clothes in degrees Celsius; differences (`_k`) are relative to the forehead.

    Attributes:
        forehead_c: Of a subject.
        drift_k: Change of the whole face from image to image.
        regions_k: Difference of each region of the skin, of a subject.
        region_drift_k: Change of each region from image to image (standard deviation).
        blotch_k: Standard deviation of the irregular skin pattern.
        vessel_k: Warmth of superficial vessels.
        grain_k: Standard deviation of the skin's fine mottling.
        nostril_k: Of the nostrils, which swing with the breath.
        breath_k: Change of the skin below the nostrils by the breath.
        pores: Probability of an image with active perspiration pores.
        pore_k: Depth of an active pore on the skin; optics and pixels leave about a quarter of it.
        pore_mm: Width of a pore.
        pore_count: Pores of a subject around the upper lip.
        mouth_line_k: Of the line between closed lips: warm in some, cold in others.
        upper_lip_k: Of the upper lip's red.
        lower_lip_k: Of the lower lip's red.
        mouth_cavity_k: Of an open mouth.
        upper_lid_k: Between eye and brow.
        under_eye_k: Of the crescent below the eye.
        ala_k: Of the wings of the nose.
        nose_groove_k: Beside the root of the nose.
        lid_fold_k: Lines of the eyelids.
        lid_crease_k: The crease above the upper lid.
        lash_k: Of the lashes.
        lash_patch_k: Of the lashes and their shadow over the outer half of the upper lid.
        eye_corner_k: Spots in the corners of the eyes.
        canthus_k: Of the wedge between the lids at the inner corner; half of it at the outer one.
        lid_tail_k: Of the line that goes on from the outer corner.
        eyeball_k: Of the cornea.
        brow_k: Of the brows.
        nose_flank_k: Between the ridge of the nose and the cheek.
        lobule_k: Of the cool, bounded shape of tip and wings.
        alar_crease_k: Of the crease around the wings and below the nostrils.
        even_nose: Probability of a nose whose ridge and tip are as warm as the skin beside them; its wings may be cool.
        columella_k: Between the nostrils.
        philtrum_k: Ridges of the philtrum; its groove has the other sign.
        fold_k: Of the nasolabial fold.
        lip_border_k: Of the lips' border.
        lip_halo_k: Of the band that surrounds the mouth at some distance.
        mouth_corner_k: Of the corners of the mouth.
        chin_fold_k: Of the fold between lower lip and chin.
        chin_pad_k: Of the pad of the chin.
        cheek_patch_k: Of the cool, bounded area between eye, nose, mouth and jaw.
        socket_k: Of the bounded area around the eye.
        muzzle_k: Of the bounded area around the mouth.
        contrast: Of a subject: all differences above and those of the regions are multiplied by it.
        lobule_edge_mm: Width of the border of tip and wings.
        lip_edge_softness_mm: Width of the border of the lips.
        area_edge_mm: Width of the borders of cheek patch, socket and muzzle.
        area_shift_mm: How far each of these areas lies below its mean place, of a subject.
        area_width: Distance of muzzle, cheek patch and nasolabial fold from the middle, relative.
        brow_thickness: Of the brows, relative.
        lid_height: Height of the open upper lid, relative.
        lower_lid_height: How far the lower lid hangs below the corners of the eye, relative.
        crease_height: Height of the crease above the upper lid, relative.
        canthus_length_mm: Length of the wedge at the inner corner.
        canthus_inset_mm: How far its warmest place, and the warm spots of both corners, lie inside the corners.
        lash_lift_mm: How far the patch of lashes lies above the lid's edge.
        eyeball_edge_mm: Width of the border of the eyeball.
        chin_pad_edge_mm: Width of the border of the pad of the chin.
        chin_pad_drop_mm: How far the pad's lower border lies below the edge of the chin.
        chin_pad_half_width_mm: Of the pad.
        lip_halo_gap_mm: Distance of that band from the lips and from the corners of the mouth.
        lip_halo_width_mm: Its width.
        lip_width: Of the lips' red, relative to the distance of the corners of the mouth.
        lip_box: Outline of the lips' red: 0 an arc, 1 a box with round corners.
        mouth_line_length: Of the line between the lips, relative to the distance of the corners.
        nostril_size: Of the nostrils, relative.
        lobule_shift_mm: How far the cool shape of tip and wings lies below its mean place.
        lobule_size: Its size, relative.
        lobule_height_mm: How far the bell reaches above the tip.
        wing_lean: How far they lean inwards, a tangent.
        wing_half_height_mm: Half the height of the wings of the nose above their lower edge.
        lobule_lobed: Outline of tip and wings: 0 a bell, 1 three lobes.
        beard_k: Of a full beard.
        grazing_loss: How far skin seen edge-on takes on the ambient temperature.
        hair_warmth: Hair surface between ambient (0) and skin (1).
        cloth_warmth: Clothes between ambient (0) and skin (1).
    """

    forehead_c: Range = (33.2, 36.0)
    drift_k: Range = (-0.4, 0.4)
    regions_k: Mapping[str, Range] = field(
        default_factory=lambda: {
            "nose": (-3.0, 0.3), "nose_bridge": (-1.2, 0.4), "cheeks": (-1.6, 0.3), "lower_cheeks": (-1.4, 0.2),
            "inner_eyes": (0.3, 1.0),
            "orbits": (-0.2, 0.5), "temples": (0.0, 0.9), "glabella": (0.0, 0.6), "perioral": (-0.8, 0.6),
            "chin": (-1.6, 0.2), "jaw": (-1.2, 0.3), "nasolabial": (0.1, 0.8), "upper_forehead": (-0.5, 0.4),
            "neck": (-0.3, 1.0), "ears": (-4.5, -0.3), "under_jaw": (0.0, 1.2),
        }
    )  # fmt: skip
    region_drift_k: float = 0.25
    blotch_k: Range = (0.1, 0.35)
    vessel_k: Range = (0.0, 0.7)
    grain_k: Range = (0.03, 0.15)
    nostril_k: Range = (-2.0, 1.5)
    breath_k: Range = (-0.3, 0.3)
    pores: float = 0.25
    pore_k: Range = (-1.2, -0.2)
    pore_mm: Range = (0.3, 1.0)
    pore_count: Range = (40.0, 120.0)
    mouth_line_k: Range = (-0.9, 0.9)
    upper_lip_k: Range = (-1.4, 0.5)
    lower_lip_k: Range = (-1.8, 0.5)
    mouth_cavity_k: Range = (-1.5, 1.5)
    upper_lid_k: Range = (-0.5, 0.8)
    under_eye_k: Range = (-0.8, 0.5)
    ala_k: Range = (-2.2, 0.4)
    nose_groove_k: Range = (-1.0, 0.6)
    lid_fold_k: Range = (-0.4, 0.9)
    eyeball_k: Range = (-1.4, 0.5)
    brow_k: Range = (-1.8, -0.2)
    beard_k: Range = (-5.0, -1.0)
    lid_crease_k: Range = (-0.7, 0.6)
    lash_k: Range = (-1.3, 0.1)
    lash_patch_k: Range = (-1.8, 0.2)
    eye_corner_k: Range = (0.0, 0.7)
    canthus_k: Range = (-0.1, 1.2)
    lid_tail_k: Range = (-0.3, 0.7)
    nose_flank_k: Range = (-1.6, 0.5)
    lobule_k: Range = (-2.0, 0.3)
    even_nose: float = 0.45
    alar_crease_k: Range = (-0.3, 1.5)
    columella_k: Range = (-0.8, 0.8)
    philtrum_k: Range = (-0.4, 0.5)
    fold_k: Range = (-0.4, 0.8)
    lip_border_k: Range = (-0.4, 0.4)
    lip_halo_k: Range = (-0.3, 1.0)
    lip_halo_gap_mm: Range = (2.0, 11.0)
    lip_halo_width_mm: Range = (2.5, 6.0)
    mouth_corner_k: Range = (-0.5, 0.7)
    chin_fold_k: Range = (-0.6, 0.6)
    chin_pad_k: Range = (-1.8, 0.3)
    cheek_patch_k: Range = (-2.6, 0.3)
    socket_k: Range = (-0.3, 1.0)
    muzzle_k: Range = (-0.5, 1.0)
    contrast: Range = (0.6, 1.5)
    lobule_edge_mm: Range = (1.5, 7.0)
    lip_edge_softness_mm: Range = (1.0, 5.0)
    area_edge_mm: Range = (8.0, 30.0)
    area_shift_mm: Range = (-5.0, 5.0)
    area_width: Range = (0.82, 1.45)
    lid_height: Range = (0.75, 2.1)
    lower_lid_height: Range = (0.05, 1.1)
    crease_height: Range = (0.75, 1.6)
    canthus_length_mm: Range = (4.0, 10.0)
    canthus_inset_mm: Range = (0.0, 4.0)
    lash_lift_mm: Range = (0.0, 3.0)
    eyeball_edge_mm: Range = (0.8, 3.0)
    chin_pad_edge_mm: Range = (2.0, 10.0)
    chin_pad_drop_mm: Range = (-7.0, 4.0)
    chin_pad_half_width_mm: Range = (14.0, 34.0)
    lip_width: Range = (0.55, 1.0)
    lip_box: Range = (0.0, 1.0)
    mouth_line_length: Range = (0.9, 1.15)
    lobule_shift_mm: Range = (-3.5, 3.5)
    lobule_height_mm: Range = (9.0, 18.0)
    wing_half_height_mm: Range = (6.5, 11.0)
    wing_lean: Range = (0.0, 0.7)
    lobule_size: Range = (0.85, 1.15)
    brow_thickness: Range = (0.5, 1.4)
    nostril_size: Range = (0.7, 1.2)
    lobule_lobed: Range = (0.0, 1.0)
    grazing_loss: Range = (0.1, 0.3)
    hair_warmth: Range = (0.2, 0.75)
    cloth_warmth: Range = (0.2, 0.7)
