"""Whether the settings of runs are alike, how they differ, and a protocol in words."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from thermal_landmarks.settings import LENGTH, Flat

_SHOWN = 5


def without_length_and_rotation(protocol: Flat) -> Flat:
    """A protocol without what the ablation "no rotation" changes by definition."""
    changed = (*LENGTH, "data.augmentation.rotation")  # with the ranges of its angles
    return {key: value for key, value in protocol.items() if not key.startswith(changed)}


def identity(flat: Flat) -> str:
    """The same text for the same settings."""
    return json.dumps(flat, sort_keys=True, default=str)


def differences(settings: Sequence[Flat]) -> list[str]:
    """For each of several settings what sets it apart from the others: `stem.depth=3, head.dropout=0.1`.

    A setting that is absent shows as `no stem.depth`.
    """
    keys = sorted({key for flat in settings for key in flat})
    differing = [key for key in keys if len({identity({"": flat.get(key, "absent")}) for flat in settings}) > 1]
    return [_words(flat, differing) for flat in settings]


def _words(flat: Flat, keys: Sequence[str]) -> str:
    shown = [f"{key}={_value(flat[key])}" if key in flat else f"no {key}" for key in keys[:_SHOWN]]
    more = [f"{len(keys) - _SHOWN} more (see config.yaml)"] if len(keys) > _SHOWN else []
    return ", ".join(shown + more)


def _value(value: Any) -> str:
    return json.dumps(value, default=str).replace('"', "").replace(" ", "")


def protocol_label(config: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """A protocol in words: data, landmarks, image size, epochs, batch, loss, rotation."""
    data, trainer = config.get("data"), config.get("trainer")
    what = f"{metrics.get('data', 'unnamed data')}, {metrics.get('scheme', 'unknown landmarks')}"
    if not data or not trainer:
        return f"{what}; no config.yaml, so image size and length aren't known"
    height, width = data["image_size"]
    epochs = trainer["max_epochs"] * trainer.get("epochs_factor", 1)
    return (
        f"{what}, {height} × {width} × {data.get('in_channels', 1)} pixels, {epochs} epoch{'s' * (epochs != 1)}, "
        f"batch {data['batch_size']}, {_loss(config)} loss, "
        f"rotation {data.get('augmentation', {}).get('rotation', 'unknown')}"
    )


def _loss(config: Mapping[str, Any]) -> str:
    choices, loss = config.get("group_choices", {}), config.get("loss", {})  # the former: of runs of earlier versions
    return str(choices.get("loss") or loss.get("penalty", "unnamed"))
