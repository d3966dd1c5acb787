"""Whether finder and second look could be combined better: `python docs/studies/second_look_combined.py work_folder`.

Cross-validated on the 500 scenes that the probability of a face is fitted to (five parts, six times): the features of
`inference.confidence` with the finder's score, with the joined score as shipped, with both scores apart, and with
products of both with each other and with the face's size.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from face_confidence import FIT_SEED
from second_look_cases import FALSE, Case, log_odds, logistic, rendered_cases
from second_look_crops import OVERLAP

from thermal_landmarks.evaluation.finding import FindingScores
from thermal_landmarks.inference.face import MIN_SCORE
from thermal_landmarks.inference.second_look import SecondLook
from thermal_landmarks.models.checkpoint import load_finder

PARTS, TIMES = 5, 6


def features(case: Case, second_look: SecondLook) -> dict[str, np.ndarray]:
    """One row a face that was found, of each kind."""
    joined = case.features(case.score(second_look))
    first = log_odds(case.found.score)[:, None]
    second = case.seen(second_look)[:, None] / 2
    one, others, disagreement, size = joined[:, :1], joined[:, 2:], joined[:, 2:3], joined[:, 3:4]
    both = np.hstack([one, first, second, others])
    products = [size * first, size * second, np.minimum(second, 0), size**2, disagreement * second]
    return {
        "the finder's score": case.features(case.found.score),
        "the joined score (shipped)": joined,
        "both scores": both,
        "both scores and products": np.hstack([both, *products]),
    }


def main(folder: Path) -> None:
    """Print a row for each kind."""
    torch.set_num_threads(1)
    shipped = load_finder().second_look
    assert shipped is not None
    cases = rendered_cases(folder, FIT_SEED, 500)
    kinds = [features(case, SecondLook(*shipped)) for case in cases]
    for kind in kinds[0]:
        rows, results = [each[kind] for each in kinds], []
        for time in range(TIMES):
            order, scores = np.random.default_rng(time).permutation(len(cases)), FindingScores(overlap=OVERLAP)
            for part in range(PARTS):
                test = order[part::PARTS]
                train = np.setdiff1d(order, test)
                weights = logistic([cases[i] for i in train], [rows[i] for i in train])
                for i in test:
                    probability = 1 / (1 + np.exp(-rows[i] @ weights))
                    found = cases[i].found._replace(score=probability).take(np.argsort(-probability))
                    scores.add(found, cases[i].faces_px, cases[i].ignored_px)
            curve = scores.curve()
            results.append([curve.average_precision, curve.at_false_rate(FALSE)[0], *curve.at_threshold(MIN_SCORE)])
        precision, recall, kept, false = np.mean(results, axis=0)
        print(
            f"{kind}: average precision {precision:.3f}, recall at {FALSE} false {recall:.3f}; by default {kept:.3f} "
            f"and {false:.3f} false a picture"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
