"""The figures of "The Heat is On: Thermal Facial Landmark Tracking" (arXiv 2311.08308), Tables 1 to 5, as printed.

They were measured on a private data set: whatever stands beside them here was not, and isn't comparable. Where the
paper contradicts itself the tables are followed, see `NOTES`.
"""

from typing import NamedTuple


class Search(NamedTuple):
    """A row of Table 1: size of a study's best model, and its validation loss after 20 epochs."""

    parameters: int
    wing: float


class Tested(NamedTuple):
    """A row of Tables 2 to 5, coordinates in [0, 1]."""

    accuracy: float
    wing: float
    mae: float
    mse: float


TABLE_1 = {
    "C-1": Search(383100, 2.0686),
    "C-2": Search(139404, 4.1657),
    "C-3": Search(533948, 1.4898),
    "C-4": Search(215868, 1.7841),
    "R-1": Search(287792, 3.3708),
    "R-2": Search(294844, 3.5428),
    "R-3": Search(2275528, 1.6349),
    "R-4": Search(159420, 2.4904),
    "L-1": Search(618844, 1.7184),
    "L-2": Search(303836, 4.6675),
    "L-3": Search(283772, 1.5763),
    "L-4": Search(911292, 2.306),
    "B-1": Search(592748, 2.7187),
    "B-2": Search(262028, 5.092),
    "B-3": Search(599276, 2.5331),
    "B-4": Search(747948, 2.5257),
    "A-1": Search(762052, 1.3416),
    "A-2": Search(91280, 2.5564),
    "A-3": Search(541380, 1.1292),
    "A-4": Search(2070140, 1.3802),
}

TABLE_2 = {
    "C-1": Tested(0.9389, 1.7195, 0.0292, 0.0018),
    "C-2": Tested(0.9182, 2.2061, 0.0376, 0.0026),
    "C-3": Tested(0.9482, 1.4323, 0.0244, 0.0012),
    "C-4": Tested(0.9517, 1.3282, 0.0226, 0.0011),
    "R-1": Tested(0.6848, 21.9716, 0.4085, 0.1873),
    "R-2": Tested(0.5723, 21.9296, 0.4054, 0.1846),
    "R-3": Tested(0.6188, 22.1513, 0.4096, 0.1885),
    "R-4": Tested(0.679, 22.1508, 0.4103, 0.19),
    "L-1": Tested(0.9541, 1.2664, 0.0209, 0.001),
    "L-2": Tested(0.8572, 3.7362, 0.0649, 0.0075),
    "L-3": Tested(0.9532, 1.277, 0.0214, 0.001),
    "L-4": Tested(0.9446, 1.5254, 0.0259, 0.0014),
    "B-1": Tested(0.9193, 1.9792, 0.0339, 0.0024),
    "B-2": Tested(0.9078, 2.4484, 0.0418, 0.0033),
    "B-3": Tested(0.9146, 2.2086, 0.0371, 0.0028),
    "B-4": Tested(0.9262, 1.9015, 0.0325, 0.0022),
    "A-1": Tested(0.966, 0.9175, 0.0153, 0.0005),
    "A-2": Tested(0.96, 1.0997, 0.0188, 0.0007),
    "A-3": Tested(0.9715, 0.7628, 0.0128, 0.0003),
    "A-4": Tested(0.9538, 1.0896, 0.0186, 0.0007),
}

TABLE_3 = {
    "A-1": Tested(0.9643, 0.9921, 0.0167, 0.0008),
    "A-2": Tested(0.9592, 1.153, 0.0197, 0.0009),
    "A-3": Tested(0.6812, 21.9525, 0.407, 0.1864),
    "A-4": Tested(0.5726, 22.2677, 0.4137, 0.1914),
}

TABLE_4 = {
    "A-1": Tested(0.9474, 1.3288, 0.0225, 0.0012),
    "A-2": Tested(0.9389, 1.4316, 0.0243, 0.0014),
    "A-3": Tested(0.9599, 1.0501, 0.0176, 0.0008),
    "A-4": Tested(0.9523, 1.5673, 0.0263, 0.0016),
}

TABLE_5 = {
    "A-1": Tested(0.7341, 18.0931, 0.3301, 0.1339),
    "A-2": Tested(0.9553, 1.1807, 0.0192, 0.0008),
    "A-3": Tested(0.9654, 0.9057, 0.0152, 0.0005),
    "A-4": Tested(0.9632, 1.0893, 0.0185, 0.0007),
}

SOURCE = "arXiv 2311.08308"

NOTES = (
    (
        "The paper's faces are a private data set of about 2,000 images of 73 people. Its columns show what was "
        "published; they don't tell which of two numbers is better."
    ),
    (
        "Its text calls the best model A-3 and gives it the Luong branch and 91,280 parameters; by its tables A-2 has "
        "these, and A-3 (Bahdanau, 541,380 parameters) has the best loss. The tables are followed."
    ),
    "Its text exchanges the references to Tables 4 and 5; the captions are followed.",
    (
        "It doesn't define accuracy. Ours is the share of right-most and lowest landmarks that are predicted as such, "
        "the reading that fits its numbers."
    ),
    ("An MAE near 0.41 in its tables (all R models, the ensembles A-3 and A-4) looks like a nearly constant output."),
    "Wing loss of Table 1 is the search's objective on the validation images; in Tables 2 to 5 it is of the test.",
)


def order(model_id: str) -> tuple[int, str]:
    """To sort models as the paper does, others last."""
    return (list(TABLE_1).index(model_id) if model_id in TABLE_1 else len(TABLE_1), model_id)
