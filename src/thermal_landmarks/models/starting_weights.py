"""A trained network as the start of another: fine-tuning, or a new branch and head on a trained root."""

import logging

from thermal_landmarks.errors import ConfigError
from thermal_landmarks.models.checkpoint import load_checkpoint, load_finder
from thermal_landmarks.models.network import FinderNetwork, Network

_log = logging.getLogger(__name__)

_PARTS = ("root", "stem", "branch", "head")


def start_from(network: Network, weights: str) -> str:
    """Give a network the weights of a checkpoint before training; says what was taken.

    A finder starts from a finder: the shipped one is called face_finder.

    Raises:
        ConfigError: If there is no such checkpoint, or its root is another one.
    """
    trained: Network
    try:
        if isinstance(network, FinderNetwork):
            trained = load_finder(None if weights == "face_finder" else weights).network
        else:
            trained = load_checkpoint(weights).network
        counts = load_matching_weights(network, trained)
    except ConfigError as error:
        raise ConfigError(f"weights={weights}: {error}") from error
    taken = [part if have == all_ else f"{part} in part" for part, (have, all_) in counts.items() if have]
    scratch = [f"; the {part} starts from scratch" for part, (have, all_) in counts.items() if all_ and not have]
    return f"Weights of {weights}: {', '.join(taken)}{''.join(scratch)}"


def load_matching_weights(network: Network, trained: Network) -> dict[str, tuple[int, int]]:
    """Copy every tensor of a trained network that has the same name and shape in this one.

    Returns:
        For root, stem, branch and head, how many of this network's tensors were taken, and how many it has.

    Raises:
        ConfigError: If the trained root is another one, so that nothing behind it would mean the same.
    """
    there, here = trained.state_dict(), network.state_dict()
    fitting = {name for name, tensor in here.items() if name in there and there[name].shape == tensor.shape}
    counts = dict.fromkeys(_PARTS, (0, 0))
    for name in here:
        part = _part_of(name)
        taken, total = counts[part]
        counts[part] = (taken + (name in fitting), total + 1)
    if counts["root"][0] < counts["root"][1]:
        raise ConfigError(
            f"only {counts['root'][0]} of the root's {counts['root'][1]} tensors are in it with the same shape. Its "
            f"root is {trained.settings['root']} for {trained.settings['in_channels']} channel(s); set root= and "
            "data.in_channels= to these, or experiment=recipes/fine_tune for the shipped thermal_real."
        )
    places = [part.settings["head"].get("places", "stretched") for part in (trained, network)]
    if places[0] != places[1] and counts["head"][0]:
        _log.warning(
            "The trained head's heat maps are head.places=%s, these are %s, so that points start up to half a cell "
            "beside their places. To go on with the trained head, set head.places=%s.",
            *(*places, places[0]),
        )
    network.load_state_dict({name: there[name] if name in fitting else tensor for name, tensor in here.items()})
    return counts


def _part_of(name: str) -> str:
    if name.startswith("components."):
        return ("stem", "branch")[int(name.split(".")[2])]
    return name.split(".")[0]
