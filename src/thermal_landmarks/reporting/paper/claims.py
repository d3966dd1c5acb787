"""Claims tested on the finished part of the chain, those of arXiv 2311.08308 and ours: do they hold? Can it be told?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from thermal_landmarks.reporting.paper.results import Estimate, Results, collapsed
from thermal_landmarks.search.chain.steps import Kind

_STEMS = {"C": "convolutions", "R": "ResNeXt", "L": "conv-Luong", "B": "conv-Bahdanau", "A": "conv-ResNeXt"}
_MODELS = tuple(f"{letter}-{number}" for letter in "ACRLB" for number in "1234")
_LEADING = _MODELS[:4]


@dataclass(frozen=True)
class Verdict:
    """What can be said of a claim."""

    claim: str  # in the paper's sense, one sentence
    verdict: str  # `holds`, `does not hold`, `cannot be told` or `cannot be told yet`
    because: str  # the numbers, or what is missing


def verdicts(results: Results) -> list[Verdict]:
    """All claims, in the paper's order."""
    claims: list[tuple[str, Callable[[Results], tuple[str, str]]]] = [
        ("Stems that alternate convolutions with ResNeXt layers (A) are the best.", _alternating_wins),
        ("A-3 is the best model.", _a3_is_best),
        ("Attention branches help some stems.", _attention_helps),
        ("Stems of ResNeXt layers alone (R) collapse to nearly one output (Table 2).", _resnext_collapses),
        ("Ensembles of three are worse than the single A models.", _changed("ensemble", "ensembles")),
        (
            "Without rotated copies the A models are worse, at three times the epochs.",
            _changed("no_rotation", "without rotation"),
        ),
        ("With the last layers removed the A models are worse.", _changed("layers_removed", "with layers removed")),
    ]
    return [Verdict(claim, *test(results)) for claim, test in claims]


def beyond(results: Results) -> list[Verdict]:
    """What the paper did not try: other heads on the best configuration of each model."""
    return [
        Verdict(
            "Heat maps make the models better than the fully connected head.", *_other_head(results, "soft_argmax")
        ),
        Verdict("A small network for each landmark's query does.", *_other_head(results, "per_query")),
    ]


def _other_head(results: Results, head: Kind) -> tuple[str, str]:
    trained = results.models("singular")
    both = [name for name in trained if results.of(head, name)]
    if not both:
        return _yet(_MODELS)
    gain = results.difference("singular", both, head, both)
    if missing := [name for name in _MODELS if name not in both]:
        verdict, text = _yet(missing)
        return verdict, f"{text}; so far, over {len(both)} models, {_shown(gain)}"
    return _worse(gain, "fully connected less this head, over the twenty models")


def _alternating_wins(results: Results) -> tuple[str, str]:
    trained = results.models("singular")
    others = [name for name in _MODELS if name not in _LEADING]
    if missing := [name for name in _MODELS if name not in trained]:
        return _yet(missing)
    return _worse(results.difference("singular", others, "singular", _LEADING), "the other sixteen less the four A")


def _a3_is_best(results: Results) -> tuple[str, str]:
    trained = results.models("singular")
    rivals = [name for name in trained if name != "A-3"]
    if missing := [name for name in _LEADING if name not in trained]:
        return _yet(missing)
    best = min(rivals, key=lambda name: results.nme("singular", name).mean)
    found, numbers = _worse(
        results.difference("singular", [best], "singular", ["A-3"]), f"{best}, the best other, less A-3"
    )
    if found == "holds" and len(trained) < 20:
        return "cannot be told yet", f"best of the {len(trained)} trained so far ({numbers})"
    return found, numbers


def _attention_helps(results: Results) -> tuple[str, str]:
    trained = results.models("singular")
    found = {}
    for letter, stem in _STEMS.items():
        branches = [f"{letter}-{number}" for number in "234"]
        if all(name in trained for name in (f"{letter}-1", *branches)):
            best = min(branches, key=lambda name: results.nme("singular", name).mean)
            found[stem] = results.difference("singular", [f"{letter}-1"], "singular", [best])
    if not found:
        return _yet([name for name in _LEADING if name not in trained])
    numbers = "; ".join(f"{stem} without branch less its best branch: {_shown(gain)}" for stem, gain in found.items())
    if any(gain.low > 0 for gain in found.values()):
        return "holds", numbers
    if len(found) < len(_STEMS):
        return "cannot be told yet", f"{numbers}; the other stems aren't trained"
    return ("does not hold" if all(gain.high < 0 for gain in found.values()) else "cannot be told"), numbers


def _resnext_collapses(results: Results) -> tuple[str, str]:
    names = [f"R-{number}" for number in "1234"]
    if missing := [name for name in names if not results.of("singular", name)]:
        return _yet(missing)
    fallen = [name for name in names if any(collapsed(record) for record in results.of("singular", name))]
    text = f"{len(fallen)} of 4 collapsed" + (f" ({', '.join(fallen)})" if fallen else "")
    return ("holds" if len(fallen) == 4 else "does not hold"), text


def _changed(kind: Kind, words: str) -> Callable[[Results], tuple[str, str]]:
    """A change that is to make the A models worse."""

    def test(results: Results) -> tuple[str, str]:
        have = [name for name in _LEADING if results.of(kind, name) and results.of("singular", name)]
        each = ", ".join(f"{name} {_shown(results.difference(kind, [name], 'singular', [name]))}" for name in have)
        if len(have) < len(_LEADING):
            missing = [f"{name} {words}" for name in _LEADING if name not in have]
            verdict, text = _yet(missing)
            return verdict, text + (f"; so far {each}" if each else "")
        verdict, text = _worse(results.difference(kind, have, "singular", have), f"{words} less unchanged")
        return verdict, f"{text}; {each}"

    return test


def _worse(difference: Estimate, what: str) -> tuple[str, str]:
    numbers = f"{what}: {_shown(difference)}"
    if difference.low > 0:
        return "holds", numbers
    return ("does not hold" if difference.high < 0 else "cannot be told"), numbers


def _yet(missing: Sequence[str]) -> tuple[str, str]:
    named = ", ".join(missing[:6]) + (f" and {len(missing) - 6} more" if len(missing) > 6 else "")
    return "cannot be told yet", f"not trained: {named}"


def _shown(estimate: Estimate) -> str:
    def signed(value: float) -> str:
        return f"{value:+.2f}".replace("-", "−")

    return f"{signed(estimate.mean)} [{signed(estimate.low)}, {signed(estimate.high)}] points of NME"
