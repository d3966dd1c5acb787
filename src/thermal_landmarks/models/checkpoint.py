"""What a checkpoint holds for prediction: the network with its weights, the landmark scheme, the preprocessing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from thermal_landmarks.data.preprocessing import Preprocessing
from thermal_landmarks.data.schemes import Scheme, get_scheme
from thermal_landmarks.errors import ConfigError, UserError, said_by
from thermal_landmarks.models.network import FinderNetwork, LandmarkNetwork, Network
from thermal_landmarks.old_names import todays_settings

AnyNetwork = TypeVar("AnyNetwork", bound=Network)

_PREFIX, _SECOND_LOOK = "network.", "second_look."
_SHIPPED = Path(__file__).parent / "weights"
_COUNTS = ("ensemble", "depth", "encoder_layers", "decoder_layers", "layers", "heads", "cardinality", "num_points")
_LARGEST_COUNT = 1024
_LARGEST_NUMBER = 65_536  # channels, gray levels, ...
_LARGEST_SIDE = 8192  # of an image, in pixels
_LARGEST_LIST = 1024
_SHIPPED_FINDER = _SHIPPED / "finder" / "face_finder.ckpt"
_BEYOND_WEIGHTS, _LEAST_ELEMENTS = 16, 2**22  # elements of what a network holds beside its weights, such as positions
_NEEDED = ("network", "scheme", "preprocessing")


@dataclass(frozen=True)
class LoadedCheckpoint:
    """A checkpoint that can predict."""

    path: Path  # the file that was read
    network: LandmarkNetwork  # with its weights, on the CPU, in evaluation mode
    scheme: Scheme  # landmarks that the network predicts
    preprocessing: Preprocessing  # from an original image to the network's input
    hyper_parameters: dict[str, Any]  # all settings in the file, plain data

    @property
    def flip_tta(self) -> bool:
        """Whether the training's test averaged over each image and its mirror image."""
        return bool(self.hyper_parameters.get("flip_tta", False))

    @property
    def calibration(self) -> dict[str, Any] | None:
        """Settings of `inference.calibration.offsets.Calibration`; None if it was never calibrated."""
        return self.hyper_parameters.get("calibration")


def shipped_checkpoints() -> dict[str, Path]:
    """The checkpoints that come with the package, by name; docs/synthetic_faces.md says what they reach."""
    return {path.stem: path for path in sorted(_SHIPPED.glob("*.ckpt"))}


def find_checkpoint(path: str | Path | None) -> Path:
    """The file that `checkpoint=` means: itself, the best (else last) checkpoint of a run folder, or a shipped one.

    Raises:
        ConfigError: If there is none.
    """
    if path is None or not str(path):
        raise ConfigError(
            "checkpoint is not set. Give a checkpoint or the folder of a training run: checkpoint=outputs/train/..."
        )
    shipped = shipped_checkpoints()
    if str(path) in shipped:
        return shipped[str(path)]
    path = Path(path)
    if path.is_dir():
        from thermal_landmarks.runs import RunFolder  # OmegaConf, which a checkpoint's file does without

        run = RunFolder(path)
        for candidate in (run.best_checkpoint, run.last_checkpoint):
            if candidate.is_file():
                return candidate
        raise ConfigError(f"checkpoint={path}: this folder has no checkpoints/best.ckpt or last.ckpt. Give a file.")
    if not path.is_file():
        raise ConfigError(
            f"checkpoint={path}: there is no such file. Give a .ckpt file, the folder of a run, or one that comes with "
            f"the package: {', '.join(shipped)}."
        )
    return path


def load_checkpoint(path: str | Path | None) -> LoadedCheckpoint:
    """Read a checkpoint of this project; nothing in the file is executed (`weights_only=True`).

    Raises:
        ConfigError: If the file is missing or is not a checkpoint of this project.
    """
    file = find_checkpoint(path)
    content = _read(file)
    settings = content.get("hyper_parameters")
    missing = [name for name in _NEEDED if not isinstance(settings, dict) or name not in settings]
    if missing or not isinstance(settings, dict):
        raise _foreign(file, f"its hyper_parameters lack {', '.join(missing)}")
    with _fitting(file):
        _require_plausible(settings["preprocessing"], "preprocessing")
        network = _with_weights(LandmarkNetwork, settings["network"], content["state_dict"])
        scheme = get_scheme(settings["scheme"])
        preprocessing = Preprocessing.from_settings(settings["preprocessing"])
        _require_fitting(preprocessing, network, scheme)
    return LoadedCheckpoint(file, network.eval(), scheme, preprocessing, todays_settings(settings))


@contextmanager
def _fitting(file: Path) -> Iterator[None]:
    """Whatever goes wrong with the settings and weights of a file names it."""
    try:
        yield
    except Exception as error:  # settings of any type and shape
        found = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {said_by(error)}"
        raise _foreign(file, f"its settings and weights don't fit this version of the package ({found})") from error


def _with_weights(
    kind: type[AnyNetwork], settings: Any, state_dict: dict[str, Tensor], prefix: str = _PREFIX
) -> AnyNetwork:
    _require_plausible(settings, "network")
    weights = {k.removeprefix(prefix): v for k, v in state_dict.items() if k.startswith(prefix)}
    with _Empty(most=_BEYOND_WEIGHTS * sum(value.numel() for value in weights.values()) + _LEAST_ELEMENTS):
        network = kind(**settings)
    for name, value in network.state_dict().items():
        if name not in weights or weights[name].shape != value.shape:
            found = tuple(weights[name].shape) if name in weights else "none"
            raise ConfigError(f"{name} should have the shape {tuple(value.shape)}, found {found}")
    network.load_state_dict(weights)
    return network


class _Empty(TorchFunctionMode):
    """Builds networks whose weights are neither drawn nor set, since a checkpoint replaces them.

    What is reserved and not written takes no memory, so settings that want more than the weights hold are refused in
    time. (The meta device would do that too, but its first use imports torch's compiler: 1 second.)
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (Tensor.normal_, Tensor.uniform_) or getattr(func, "__module__", None) == nn.init.__name__:
            return args[0] if args else kwargs["tensor"]
        made = func(*args, **kwargs)
        for tensor in made if isinstance(made, tuple | list) else (made,):
            if isinstance(tensor, Tensor) and tensor.numel() > self._most:
                raise ConfigError(f"a part of {tensor.numel():,} elements, far more than its weights")
        return made


def _require_plausible(value: Any, where: str) -> None:
    """Refuse numbers that no network of this project has, before anything is built in a loop or in memory of that size.

    Raises:
        ConfigError: Naming the setting, its value and the limit.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            _require_plausible(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        if len(value) > _LARGEST_LIST:
            raise ConfigError(f"{where} has {len(value)} entries, expected at most {_LARGEST_LIST}")
        for i, item in enumerate(value):
            _require_plausible(item, f"{where}.{i}")
    elif isinstance(value, int | float):
        limit = _LARGEST_COUNT if where.rpartition(".")[2] in _COUNTS else _LARGEST_NUMBER
        limit = _LARGEST_SIDE if "_size." in where else limit
        if "_size." in where and not isinstance(value, int):
            raise ConfigError(f"{where}={value:.4g}, expected whole pixels")
        if not abs(value) <= limit:
            raise ConfigError(f"{where}={value:.4g}, expected at most {limit:,}")


def _require_fitting(preprocessing: Preprocessing, network: LandmarkNetwork, scheme: Scheme) -> None:
    """Refuse views that the network doesn't take, and a shape for them that is no face of the scheme."""
    views = (preprocessing.in_channels, *preprocessing.input_size)
    if tuple(network.image_shape) != views:
        raise ConfigError(f"preprocessing gives images {views}, the network takes {tuple(network.image_shape)}")
    if preprocessing.cascade is None:
        return
    shape = torch.tensor(preprocessing.cascade.reference or [], dtype=torch.float64)
    if (
        shape.shape != (scheme.num_points, 2)
        or not shape.abs().max() <= _LARGEST_NUMBER
        or not shape.std(dim=0).min() > 0
    ):
        raise ConfigError(f"preprocessing.cascade.reference should be a face of {scheme.num_points} points")


@dataclass(frozen=True)
class LoadedFinder:
    """The network that finds faces."""

    network: FinderNetwork  # with its weights, on the CPU, in evaluation mode
    # What `inference.confidence` needs to turn agreement into a probability; empty if never calibrated
    confidence: dict[str, Any]
    # Network and weights of `inference.second_look.SecondLook`; None if the finder has none
    second_look: tuple[FinderNetwork, list[float]] | None = None


def find_finder(path: str | Path | None) -> Path:
    """The file that `finder=` means: as of `find_checkpoint`, or for None the one that comes with the package."""
    return _SHIPPED_FINDER if path is None else find_checkpoint(path)


def load_finder(path: str | Path | None = None) -> LoadedFinder:
    """Read a finder, a checkpoint of `experiment=recipes/face_finder`; nothing in the file is executed.

    None: the one that comes with the package.

    Raises:
        ConfigError: If the file is missing or holds no finder.
    """
    file = find_finder(path)
    content = _read(file)
    settings = content.get("hyper_parameters")
    if not isinstance(settings, dict) or settings.get("task") != "faces":
        raise ConfigError(f"finder={file}: this checkpoint finds no faces. Give one of experiment=recipes/face_finder.")
    with _fitting(file):
        network = _with_weights(FinderNetwork, settings["network"], content["state_dict"])
        second = settings.get("second_look")
        if second is not None:
            looks = _with_weights(FinderNetwork, second["network"], content["state_dict"], _SECOND_LOOK)
            second = looks.eval(), [float(weight) for weight in second["weights"]]
    return LoadedFinder(network.eval(), settings.get("confidence", {}), second)


def write_weights(checkpoint: str | Path, path: Path, **hyper_parameters: Any) -> None:
    """Copy what predicting needs, without optimizer and history: how the shipped checkpoints are made.

    `hyper_parameters`, plain data, come in the place of what the checkpoint has by these names.
    """
    content = torch.load(find_checkpoint(checkpoint), map_location="cpu", weights_only=True)
    weights = {name: value for name, value in content["state_dict"].items() if name.startswith((_PREFIX, _SECOND_LOOK))}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"hyper_parameters": {**content["hyper_parameters"], **hyper_parameters}, "state_dict": weights}, path)


def _read(file: Path) -> dict[str, Any]:
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # its unpickler raises almost anything on damaged files
        raise _foreign(file, f"torch.load can't read it ({type(error).__name__})") from error
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        raise _foreign(file, "it has no state_dict")
    return content


def _foreign(file: Path, reason: str) -> ConfigError:
    return ConfigError(
        f"{file} is not a checkpoint of this project: {reason}. Give a .ckpt file that src/train.py has written."
    )
