"""What `visualize.py` leaves: a labelled grid as PNG and `visualize.json`, and both on the dashboard."""

from collections.abc import Sequence
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
from thermal_landmarks.reporting.activation_maximisation import Ascent, Maximised, Plain, Regularised, maximise
from thermal_landmarks.reporting.attention import attention_tiles, attention_title
from thermal_landmarks.reporting.feature_maps import View, feature_maps, look_at
from thermal_landmarks.reporting.network_layers import ATTENTION, NamedLayer, find_layer
from thermal_landmarks.reporting.visualisation_figures import Tile, range_of, tile_grid
from thermal_landmarks.runs import git_commit, write_json
from thermal_landmarks.training.loggers import build_logger, log_picture
from thermal_landmarks.training.record import RunMetadata

_WHAT = ("activation", "features", "attention")
_MAP_COLOURS = "viridis"
_WIDE_TILE_INCH = 2.6
_SCALE_PERCENTILE = 99.5  # of all pictures' distances from zero: black and white


def visualize(cfg: DictConfig, folder: Path, *, console: Console | None = None) -> dict[str, Any]:
    """Make the pictures that a config asks for.

    Args:
        cfg: The composed `conf/visualize.yaml`.
        folder: Gets `WHAT.png` and `visualize.json`; made if missing.
        console: Where progress and result are printed.

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
    channels: list[int] = []
    objective: list[float] = []
    found: dict[str, Any] = {}
    if cfg.what == "activation":
        channels = choose_channels(cfg.channels, _output_shape(loaded, layer).channels, most=cfg.most)
        result = _maximise(cfg, loaded, layer, channels, console)
        objective = result.activation.mean(dim=1).tolist()
        found = {"activation": result.activation[-1].tolist()}
        figure = _activation_figure(cfg, loaded, layer, channels, result)
    else:
        view = look_at(predictor, read_image(Path(cfg.image), unit=cfg.unit), look=cfg.look, box_px=_box(cfg, loaded))
        if cfg.what == "features":
            channels = choose_channels(cfg.channels, _output_shape(loaded, layer).channels, most=cfg.most - 1)
            figure = _features_figure(cfg, loaded, layer, channels, view)
        else:
            pixel = None if cfg.pixel is None else (int(cfg.pixel[0]), int(cfg.pixel[1]))
            tiles = attention_tiles(loaded.network, layer, view, pixel=pixel)
            header = _header(loaded, layer, attention_title(layer, Path(cfg.image).name, pixel))
            figure = tile_grid(tiles, header, columns=3, tile_inch=_WIDE_TILE_INCH)

    record = {
        "checkpoint": str(loaded.path),
        "model_id": loaded.network.model_id,
        "layer": layer.name,
        "channels": channels,
        "form": cfg.form if cfg.what == "activation" else None,
        "what": cfg.what,
        "objective": objective,
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
    if objective:
        console.print(f"{len(channels)} channels of {layer.name}: mean {objective[0]:.3g} -> {objective[-1]:.3g}")
    console.print(f"Picture: {path}", soft_wrap=True)
    return record


def choose_channels(setting: Any, count: int, *, most: int) -> list[int]:
    """The channels that `channels=` means.

    Args:
        setting: One channel, a list, `all`, or None: at most `most`, evenly spread.
        count: Channels of the layer.
        most: See `setting`.

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


def _output_shape(loaded: LoadedCheckpoint, layer: NamedLayer) -> FeatureMap:
    device = next(loaded.network.parameters()).device
    maps = feature_maps(loaded.network, layer, torch.zeros(1, *loaded.network.image_shape, device=device))
    return FeatureMap(*maps.shape[1:])


def _maximise(
    cfg: DictConfig, loaded: LoadedCheckpoint, layer: NamedLayer, channels: list[int], console: Console
) -> Maximised:
    chosen = {name: cfg[name] for name in ("form", "where", "steps", "contrast", "seed")}
    ascent = Ascent(**chosen, plain=Plain(**cfg.plain), regularised=Regularised(**cfg.regularised))
    batches = [channels[start : start + cfg.batch_size] for start in range(0, len(channels), cfg.batch_size)]
    with counting("Ascending", len(batches) * ascent.steps, console=console) as done:
        results = [maximise(loaded.network, layer, batch, ascent, progress=lambda: done(1)) for batch in batches]
    return Maximised(
        torch.cat([result.pictures for result in results]), torch.cat([result.activation for result in results], dim=1)
    )


def _activation_figure(
    cfg: DictConfig, loaded: LoadedCheckpoint, layer: NamedLayer, channels: list[int], result: Maximised
) -> Figure:
    pictures = result.pictures[:, 0].numpy()
    reach = float(np.percentile(np.abs(pictures), _SCALE_PERCENTILE))
    range_c = celsius_range(loaded.preprocessing)
    low, high = -reach, reach
    scale = "network input (relative: cold to warm)"
    if range_c is not None:
        middle, half = (range_c[0] + range_c[1]) / 2, (range_c[1] - range_c[0]) / 2
        pictures, low, high, scale = middle + half * pictures, middle - half * reach, middle + half * reach, "°C"
    centre = _centre_px(loaded, layer) if cfg.where == "centre" else None
    tiles = [
        Tile(picture, f"{name}: {start:.2g} to {end:.2g}", limits=(low, high), pixel=centre)
        for picture, name, start, end in zip(
            pictures, _channel_names(loaded, layer, channels), *result.activation[[0, -1]].tolist(), strict=True
        )
    ]
    place = "mean over its map" if centre is None else "in the centre of its map (ring)"
    what = f"What drives each channel most, {place}; activation before and after {cfg.steps} steps of {cfg.form} ascent"
    return tile_grid(tiles, _header(loaded, layer, what), columns=cfg.columns, scale=scale)


def _centre_px(loaded: LoadedCheckpoint, layer: NamedLayer) -> tuple[float, float]:
    """The middle of the input pixels that the central cell of a layer's map stands for."""
    rows, columns = _output_shape(loaded, layer)[1:]
    _, height, width = loaded.network.image_shape
    x = (columns // 2 + 0.5) / columns * width * layer.cover[1] - 0.5
    y = (rows // 2 + 0.5) / rows * height * layer.cover[0] - 0.5
    return x, y


def celsius_range(preprocessing: Preprocessing) -> tuple[float, float] | None:
    """The temperatures that are -1 and +1 at the network's input; None where that differs from image to image."""
    if preprocessing.normalisation.mode != "window" or not preprocessing.clips:
        return None
    return preprocessing.normalisation.temperature_range_c


def _features_figure(
    cfg: DictConfig, loaded: LoadedCheckpoint, layer: NamedLayer, channels: list[int], view: View
) -> Figure:
    maps = feature_maps(loaded.network, layer, view.values)[0, channels].numpy()
    tiles = [Tile(view.values[0, 0].cpu().numpy(), "input and landmarks", points_px=view.points_px)]
    tiles += [
        Tile(values, f"{name}: {range_of(values)}", colours=_MAP_COLOURS)
        for values, name in zip(maps, _channel_names(loaded, layer, channels), strict=True)
    ]
    header = _header(
        loaded, layer, f"Feature maps of {Path(cfg.image).name}, each from its lowest to its highest value"
    )
    return tile_grid(tiles, header, columns=cfg.columns)


def _channel_names(loaded: LoadedCheckpoint, layer: NamedLayer, channels: Sequence[int]) -> list[str]:
    if layer.name == "head":
        return [loaded.scheme.landmark_names[channel] for channel in channels]
    return [f"channel {channel}" for channel in channels]


def _header(loaded: LoadedCheckpoint, layer: NamedLayer, what: str) -> str:
    settings = loaded.network.settings
    parts = f"{settings['stem']['name']} + {settings['branch']['name']}"
    return f"{loaded.network.model_id} ({parts}), layer {layer.name} ({layer.kind})\n{what}"


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
