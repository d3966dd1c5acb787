"""What `visualize.py` leaves: a labelled grid as PNG and `visualize.json`, and both on the dashboard."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from omegaconf import DictConfig, ListConfig, OmegaConf
from rich.console import Console

from thermal_landmarks.data.formats.images import read_image
from thermal_landmarks.data.preprocessing import Box, Preprocessing
from thermal_landmarks.errors import ConfigError, require_choice
from thermal_landmarks.inference.predictor import Predictor
from thermal_landmarks.long_work import counting
from thermal_landmarks.models.checkpoint import LoadedCheckpoint, load_checkpoint
from thermal_landmarks.models.complexity import count_parameters
from thermal_landmarks.models.layers import is_whole
from thermal_landmarks.models.shapes import FeatureMap
from thermal_landmarks.reporting.layers.activation_maximisation import Ascent, Plain, Regularised, maximise
from thermal_landmarks.reporting.layers.attention import attention_tiles, attention_title
from thermal_landmarks.reporting.layers.network_layers import (
    ATTENTION,
    NamedLayer,
    View,
    feature_maps,
    find_layer,
    look_at,
)
from thermal_landmarks.reporting.layers.tiles import Tile, range_of, tile_grid
from thermal_landmarks.runs import git_commit, write_json
from thermal_landmarks.training.loggers import build_logger, log_picture
from thermal_landmarks.training.record import RunMetadata

_WHAT = ("activation", "features", "attention")
_MAP_COLOURS = "viridis"
_WIDE_TILE_INCH = 2.6
_SCALE_PERCENTILE = 99.5  # of all pictures' distances from zero: black and white


def visualize(cfg: DictConfig, folder: Path, *, console: Console | None = None) -> dict[str, Any]:
    """Make the pictures that a composed `conf/visualize.yaml` asks for: `WHAT.png` and `visualize.json` in a folder.

    Returns:
        What `visualize.json` holds.

    Raises:
        ConfigError: If a setting is unknown, or doesn't go with the others or with the network.
    """
    console = console or Console()
    OmegaConf.resolve(cfg)
    _check(cfg)
    loaded = load_checkpoint(cfg.checkpoint)
    predictor = Predictor(
        loaded.network, scheme=loaded.scheme, preprocessing=loaded.preprocessing, device=cfg.device, precision="32"
    )
    loaded.network.requires_grad_(False)
    layer = find_layer(loaded.network, cfg.layer, kinds=ATTENTION if cfg.what == "attention" else ())
    shown = _Shown(cfg, loaded, layer)
    if cfg.what == "activation":
        figure, found = shown.activation(console)
    else:
        view = look_at(predictor, read_image(Path(cfg.image), unit=cfg.unit), look=cfg.look, box_px=_box(cfg, loaded))
        figure, found = shown.features(view) if cfg.what == "features" else shown.attention(view)

    record = {
        "checkpoint": str(loaded.path),
        "model_id": loaded.network.model_id,
        "layer": layer.name,
        "channels": [],
        "form": cfg.form if cfg.what == "activation" else None,
        "what": cfg.what,
        "objective": [],
        "figure": f"{cfg.what}.png",
        **found,
        "layer_kind": layer.kind,
        "scheme": loaded.scheme.name,
        "settings": OmegaConf.to_container(cfg),
        "commit": git_commit(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{cfg.what}.png"
    figure.savefig(path)
    write_json(folder / "visualize.json", record)
    _log(cfg, loaded, record, path)
    if objective := found.get("objective"):
        console.print(
            f"{len(found['channels'])} channels of {layer.name}: mean {objective[0]:.3g} -> {objective[-1]:.3g}"
        )
    console.print(f"Picture: {path}", soft_wrap=True)
    return record


@dataclass(frozen=True)
class _Shown:
    """One layer of a network; each method gives a figure of it and what `visualize.json` says of that."""

    cfg: DictConfig
    loaded: LoadedCheckpoint
    layer: NamedLayer

    def activation(self, console: Console) -> tuple[Figure, dict[str, Any]]:
        """Pictures that drive channels of the layer."""
        cfg, layer = self.cfg, self.layer
        channels = choose_channels(cfg.channels, self._map.channels, most=cfg.most)
        chosen = {name: cfg[name] for name in ("form", "where", "steps", "contrast", "seed")}
        ascent = Ascent(**chosen, plain=Plain(**cfg.plain), regularised=Regularised(**cfg.regularised))
        batches = [channels[start : start + cfg.batch_size] for start in range(0, len(channels), cfg.batch_size)]
        with counting("Ascending", len(batches) * ascent.steps, console=console) as done:
            results = [
                maximise(self.loaded.network, layer, batch, ascent, progress=lambda: done(1)) for batch in batches
            ]
        activation = torch.cat([result.activation for result in results], dim=1)
        pictures, limits, scale = self._in_units(torch.cat([result.pictures for result in results])[:, 0].numpy())
        centre = self._centre_px() if cfg.where == "centre" else None
        tiles = [
            Tile(picture, f"{name}: {start:.2g} to {end:.2g}", limits=limits, pixel=centre)
            for picture, name, start, end in zip(
                pictures, self._names(channels), *activation[[0, -1]].tolist(), strict=True
            )
        ]
        place = "mean over its map" if centre is None else "in the centre of its map (ring)"
        ascended = f"activation before and after {cfg.steps} steps of {cfg.form} ascent"
        header = self._header(f"What drives each channel most, {place}; {ascended}")
        figure = tile_grid(tiles, header, columns=cfg.columns, scale=scale)
        found = {"channels": channels, "objective": activation.mean(dim=1).tolist()}
        return figure, {**found, "activation": activation[-1].tolist()}

    def features(self, view: View) -> tuple[Figure, dict[str, Any]]:
        """Feature maps of the layer."""
        channels = choose_channels(self.cfg.channels, self._map.channels, most=self.cfg.most - 1)
        maps = feature_maps(self.loaded.network, self.layer, view.values)[0, channels].numpy()
        tiles = [Tile(view.values[0, 0].cpu().numpy(), "input and landmarks", points_px=view.points_px)]
        tiles += [
            Tile(values, f"{name}: {range_of(values)}", colours=_MAP_COLOURS)
            for values, name in zip(maps, self._names(channels), strict=True)
        ]
        header = self._header(f"Feature maps of {Path(self.cfg.image).name}, each from its lowest to its highest value")
        return tile_grid(tiles, header, columns=self.cfg.columns), {"channels": channels}

    def attention(self, view: View) -> tuple[Figure, dict[str, Any]]:
        """What the layer attends to."""
        pixel = None if self.cfg.pixel is None else (int(self.cfg.pixel[0]), int(self.cfg.pixel[1]))
        tiles = attention_tiles(self.loaded.network, self.layer, view, pixel=pixel)
        header = self._header(attention_title(self.layer, Path(self.cfg.image).name, pixel))
        return tile_grid(tiles, header, columns=3, tile_inch=_WIDE_TILE_INCH), {}

    @cached_property
    def _map(self) -> FeatureMap:
        """Shape of the layer's output."""
        network = self.loaded.network
        nothing = torch.zeros(1, *network.image_shape, device=next(network.parameters()).device)
        return FeatureMap(*feature_maps(network, self.layer, nothing).shape[1:])

    def _in_units(self, pictures: np.ndarray) -> tuple[np.ndarray, tuple[float, float], str]:
        """Pictures with their darkest and brightest value, in degrees where the network's input means these."""
        reach = float(np.percentile(np.abs(pictures), _SCALE_PERCENTILE))
        range_c = celsius_range(self.loaded.preprocessing)
        if range_c is None:
            return pictures, (-reach, reach), "network input (relative: cold to warm)"
        middle, half = (range_c[0] + range_c[1]) / 2, (range_c[1] - range_c[0]) / 2
        return middle + half * pictures, (middle - half * reach, middle + half * reach), "°C"

    def _centre_px(self) -> tuple[float, float]:
        """The middle of the input pixels that the central cell of the layer's map stands for."""
        _, rows, columns = self._map
        _, height, width = self.loaded.network.image_shape
        x = (columns // 2 + 0.5) / columns * width * self.layer.cover[1] - 0.5
        y = (rows // 2 + 0.5) / rows * height * self.layer.cover[0] - 0.5
        return x, y

    def _names(self, channels: Sequence[int]) -> list[str]:
        if self.layer.name == "head":
            return [self.loaded.scheme.landmark_names[channel] for channel in channels]
        return [f"channel {channel}" for channel in channels]

    def _header(self, what: str) -> str:
        network, layer = self.loaded.network, self.layer
        parts = f"{network.settings['stem']['name']} + {network.settings['branch']['name']}"
        return f"{network.model_id} ({parts}), layer {layer.name} ({layer.kind})\n{what}"


def choose_channels(setting: Any, count: int, *, most: int) -> list[int]:
    """Those of a layer's channels that `channels=` means: one, a list, `all`, or None: at most `most`, evenly spread.

    Raises:
        ConfigError: If there is no such channel.
    """
    if setting is None:
        return sorted({round(i) for i in np.linspace(0, count - 1, min(max(1, most), count))})
    if setting == "all":
        return list(range(count))
    channels = (
        list(setting) if isinstance(setting, Sequence | ListConfig) and not isinstance(setting, str) else [setting]
    )
    if not channels or not all(is_whole(channel) and 0 <= channel < count for channel in channels):
        raise ConfigError(
            f"channels={setting}: the layer has the channels 0 to {count - 1}. Give one, a list ([0,3,5]) or all."
        )
    return [int(channel) for channel in channels]


def _check(cfg: DictConfig) -> None:
    require_choice("what", cfg.what, _WHAT)
    if cfg.what == "activation" and cfg.image is not None:
        raise ConfigError(
            "what=activation starts from noise and needs no image. Leave image out, or set what=features."
        )
    if cfg.what != "activation" and cfg.image is None:
        raise ConfigError(f"image is not set, but what={cfg.what} shows what happens to one: image=PATH.")
    if cfg.what == "attention" and cfg.channels is not None:
        raise ConfigError("what=attention shows all channels or heads of a layer. Leave channels out.")


def _box(cfg: DictConfig, loaded: LoadedCheckpoint) -> Box | None:
    if loaded.preprocessing.crop.mode != "box":
        return None
    if cfg.box is None or len(cfg.box) != 4:
        raise ConfigError(
            f"box={cfg.box}: this network was trained on face boxes. Give the face's box=[x_min,y_min,x_max,y_max] in "
            "pixels of the image."
        )
    x_min, y_min, x_max, y_max = cfg.box
    return (x_min, y_min, x_max, y_max)


def celsius_range(preprocessing: Preprocessing) -> tuple[float, float] | None:
    """The temperatures that are -1 and +1 at the network's input; None where that differs from image to image."""
    if preprocessing.normalisation.mode != "window" or not preprocessing.clips:
        return None
    return preprocessing.normalisation.temperature_range_c


def _log(cfg: DictConfig, loaded: LoadedCheckpoint, record: dict[str, Any], path: Path) -> None:
    settings = loaded.network.settings
    metadata = RunMetadata(
        model_id=record["model_id"],
        stem=settings["stem"]["name"],
        branch=settings["branch"]["name"],
        ensemble=settings["ensemble"],
        data=f"visualize {record['layer']}",
        scheme=record["scheme"],
        seed=cfg.seed,
        parameters=count_parameters(loaded.network),
        settings=record["settings"],
        tags=["visualize"],
    )
    logger = build_logger(cfg.logger, metadata, path.parent)
    if logger is None:
        return
    for step, value in enumerate(record["objective"]):
        logger.log_metrics({"visualize/objective": value}, step=step)
    log_picture(logger, f"visualize/{record['what']}", path)
    logger.finalize("success")
