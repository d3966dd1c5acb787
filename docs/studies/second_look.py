"""How the finder's second look was made: a small network that sees each candidate, trained on rendered scenes, half of
them before real pictures without people (`docs/studies/real_pictures.py` gathers those that were used).

    python docs/studies/second_look.py train one.pt work_folder pictures/train --seed 1    # CPU minutes after the crops
    python docs/studies/second_look.py fit work_folder finder.ckpt one.pt two.pt           # into a finder's checkpoint
    python docs/studies/second_look.py measure work_folder pictures/held_out before.ckpt finder.ckpt

`train` collects what the finder sees in scenes at a low threshold, true faces moved a little, and places anywhere (in
the work folder, where a second call finds them), and trains the shipped second look on; `--new` begins with root and
stem of the finder instead. Networks of several `--seed`s are averaged by `fit`, which finds the weights that join both
looks, on scenes that no network was trained on; docs/studies/face_confidence.py fits the confidence after it.
`measure` compares finders: for each the probability of a face is fitted to the same scenes, then recall and false faces
are counted on other scenes, in rooms without people and in real pictures that were kept aside.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from face_confidence import FIT_SEED
from jaxtyping import Float
from second_look_cases import FALSE, NOBODY, SIDE, Case, curve_of, log_odds, logistic, real_cases, rendered_cases
from second_look_crops import FACE, collect
from torch import Tensor

from thermal_landmarks.inference.face import MIN_SCORE
from thermal_landmarks.inference.second_look import SHARE, SecondLook, middle, normalised
from thermal_landmarks.models.checkpoint import load_finder
from thermal_landmarks.models.network import FinderNetwork

HELD_SEED = 90909


def changed(stored: Float[Tensor, "b 96 96"], draw: torch.Generator) -> Float[Tensor, "b 1 64 64"]:
    """Moved, turned, mirrored and resized, with other tones, at times coarser, with noise."""

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(len(stored), 1, 1, 1, generator=draw) * (high - low) + low

    scale, angle = (FACE / SHARE) * uniform(-0.2, 0.2).exp(), uniform(-0.35, 0.35)
    mirrored = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    cos, sin = scale * angle.cos(), scale * angle.sin()
    rows = [[cos * mirrored, -sin, uniform(-0.09, 0.09)], [sin * mirrored, cos, uniform(-0.09, 0.09)]]
    matrices = torch.stack([torch.stack([part.flatten() for part in row], dim=1) for row in rows], dim=1)
    grid = F.affine_grid(matrices.float(), [len(stored), 1, SIDE, SIDE], align_corners=False)
    crops = normalised(F.grid_sample(stored[:, None], grid, padding_mode="border", align_corners=False))
    low = crops.amin((1, 2, 3), keepdim=True)
    span = (crops.amax((1, 2, 3), keepdim=True) - low).clamp(min=1e-3)
    crops = ((crops - low) / span).clamp(min=1e-4) ** uniform(-0.5, 0.5).exp() * span + low
    crops = torch.where(uniform(0, 1) < 0.15, -crops, crops)
    coarse = uniform(0, 1).flatten() < 0.25
    side = int(SIDE / float(uniform(1.3, 3.0)[0]))
    fewer = F.interpolate(crops[coarse], size=(side, side), mode="area")
    crops[coarse] = F.interpolate(fewer, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    return normalised(crops + torch.randn(crops.shape, generator=draw) * uniform(0, 0.08))


def begun() -> FinderNetwork:
    """Three levels of the finder's stem, on the way down, with its weights; the head is new."""
    finder = load_finder().network
    parts = finder.settings | {"image_size": [SIDE, SIDE]}
    parts["stem"] |= {"width": parts["stem"]["width"][:3], "depth": parts["stem"]["depth"][:3], "out_width": None}
    parts["head"] |= {"width": 32, "prior": 0.5}
    network = FinderNetwork(**parts)
    own = network.state_dict()
    known = {k: v for k, v in finder.state_dict().items() if k in own and not k.startswith("head")}
    network.load_state_dict(own | known)
    return network


def train(output: Path, folder: Path, backdrops: Path, minutes: float, *, seed: int = 0, new: bool = False) -> None:
    """Collect crops, train for so many CPU minutes, keep the network."""
    torch.manual_seed(seed)
    crops, draw = collect(folder, backdrops), torch.Generator().manual_seed(seed)
    network, rates, shipped = begun(), (1e-3, 3e-3), load_finder().second_look
    if not new and shipped is not None:
        network, rates = shipped[0].train(), (5e-4, 1.5e-3)
    network = network.to(memory_format=torch.channels_last)
    head, body = list(network.head.parameters()), [*network.root.parameters(), *network.components.parameters()]
    optimizer = torch.optim.AdamW([{"params": part} for part in (body, head)], weight_decay=2e-3)
    started, share, step, weight = time.process_time(), 0.0, 0, crops.weight
    while share < 1:
        warm = min(1, step / 50) * (0.5 * (1 + np.cos(np.pi * share)) + 0.005)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * warm
        rows = torch.multinomial(weight, 96, replacement=True, generator=draw)
        seen = changed(crops.values[rows].float(), draw).contiguous(memory_format=torch.channels_last)
        wanted = 0.98 * crops.is_face[rows] + 0.01
        loss = F.binary_cross_entropy_with_logits(middle(network(seen).score), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        share, step = (time.process_time() - started) / (60 * minutes), step + 1
    torch.save({"settings": network.settings, "net": network.state_dict()}, output)
    print(f"{len(crops.is_face)} crops, {int(crops.is_face.sum())} of faces; {step} steps, last loss {loss.item():.3f}")


def trained(paths: Sequence[Path]) -> FinderNetwork:
    """The mean of what `train` has kept, as precise as `write` keeps it."""
    contents = [torch.load(path, weights_only=True) for path in paths]
    network = FinderNetwork(**contents[0]["settings"])
    nets = [content["net"] for content in contents]
    mean = {name: sum(net[name].double() for net in nets) / len(nets) for name in nets[0]}
    network.load_state_dict({name: v.half() if v.ndim == 4 else v.to(nets[0][name].dtype) for name, v in mean.items()})
    return network.eval()


def joined(cases: list[Case], seen: list[np.ndarray]) -> list[float]:
    """The weights of `SecondLook`, from what the second look alone says of cases (log odds).

    They keep to the scale of the finder's score: what is as probably a face as before gets the same score.
    """
    alone = [np.column_stack([np.ones(case.found.number), log_odds(case.found.score)]) for case in cases]
    both = [np.column_stack([x, odds]) for x, odds in zip(alone, seen, strict=True)]
    one, two = logistic(cases, alone), logistic(cases, both)
    return [float(weight) for weight in ((two[0] - one[0]) / one[1], two[1] / one[1], two[2] / one[1])]


def write(finder: Path, network: FinderNetwork, joined_by: list[float]) -> None:
    """Put a second look into a finder's checkpoint; the convolutions of both in half precision."""
    content = torch.load(finder, weights_only=True)
    content["hyper_parameters"]["second_look"] = {"network": network.settings, "weights": joined_by}
    weights = {name: value for name, value in content["state_dict"].items() if name.startswith("network.")}
    weights |= {f"second_look.{name}": value for name, value in network.state_dict().items()}
    content["state_dict"] = {name: value.half() if value.ndim == 4 else value for name, value in weights.items()}
    torch.save(content, finder)


def measure(folder: Path, pictures: Path, finders: list[Path]) -> None:
    """Recall and false faces of the finder alone and with each second look, probabilities fitted to the same scenes."""
    fitted = rendered_cases(folder, FIT_SEED, 500)
    sets = {
        "scenes": rendered_cases(folder, HELD_SEED, 1000),
        "rooms without people": rendered_cases(folder, HELD_SEED + 1, 300, **NOBODY),
        "real pictures without people": real_cases(folder, pictures),
    }
    looks: dict[str, SecondLook | None] = {"first look": None}
    for finder in finders:
        second_look = load_finder(finder).second_look
        assert second_look is not None, f"{finder} has no second look: fit it first."
        looks[finder.name] = SecondLook(*second_look)
    for name, look in looks.items():
        weights = logistic(fitted, [case.features(case.score(look)) for case in fitted])
        for where, cases in sets.items():
            curve = curve_of(cases, [case.features(case.score(look)) for case in cases], weights)
            faces, (recall, false) = sum(len(case.faces_px) for case in cases), curve.at_threshold(MIN_SCORE)
            print(
                f"{name}, {len(cases)} {where} with {faces} faces: average precision {curve.average_precision:.3f}, "
                f"recall at {FALSE} false {curve.at_false_rate(FALSE)[0]:.3f}; by default {recall:.3f} and {false:.3f} "
                "false a picture",
                flush=True,
            )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    training, fitting, measuring = (commands.add_parser(name) for name in ("train", "fit", "measure"))
    training.add_argument("network", type=Path)
    for command in (training, fitting, measuring):
        command.add_argument("folder", type=Path)
    for command in (training, measuring):
        command.add_argument("pictures", type=Path)
    training.add_argument("--minutes", type=float, default=2.0)
    training.add_argument("--seed", type=int, default=0)
    training.add_argument("--new", action="store_true")
    fitting.add_argument("finder", type=Path)
    fitting.add_argument("networks", type=Path, nargs="+")
    measuring.add_argument("finders", type=Path, nargs="+")
    chosen, started = parser.parse_args(), time.process_time()
    torch.set_num_threads(1)
    if chosen.command == "train":
        train(chosen.network, chosen.folder, chosen.pictures, chosen.minutes, seed=chosen.seed, new=chosen.new)
    elif chosen.command == "fit":
        network, cases = trained(chosen.networks), rendered_cases(chosen.folder, FIT_SEED, 500)
        weights = joined(cases, [case.seen(SecondLook(network, (0, 0, 1))) for case in cases])
        write(chosen.finder, network, weights)
        print(f"weights {np.round(weights, 3)}")
    else:
        measure(chosen.folder, chosen.pictures, chosen.finders)
    print(f"{time.process_time() - started:.0f} CPU seconds")


if __name__ == "__main__":
    main()
