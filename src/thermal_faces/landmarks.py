"""The sixteen landmarks of a rendered face, in order; left and right are the image's."""

SCHEME = "face16"

LANDMARKS = (
    "brow_left",
    "brow_right",
    "eye_left_outer",
    "eye_left_inner",
    "eye_right_inner",
    "eye_right_outer",
    "nasion",
    "nose_tip",
    "ala_left",
    "subnasale",
    "ala_right",
    "mouth_left",
    "upper_lip",
    "mouth_right",
    "lower_lip",
    "chin",
)
