"""Where the face is in each image that is to be predicted: boxes and five points from the files that a person gives."""

import csv
import logging
import math
import os
from pathlib import Path

from thermal_landmarks.csv_table import original
from thermal_landmarks.data.five_points import Found, read_five_points
from thermal_landmarks.data.preprocessing import Box, Crop
from thermal_landmarks.errors import ConfigError, DataError

_log = logging.getLogger(__name__)


def choose_five_points(file: str | None, crop: Crop) -> Found | None:
    """The five points of faces that `five_points=` means: a table as `data.five_points.file`, or nothing.

    Raises:
        ConfigError: If the network was not trained on aligned faces.
        DataError: If the file can't be used.
    """
    if file is None:
        return None
    if crop.mode != "align":
        raise ConfigError(
            f"five_points={file}: this network was trained with data.crop.mode={crop.mode}, not on aligned faces. "
            "Leave five_points out."
        )
    return read_five_points(Path(file))


def choose_boxes(boxes: str | None, crop: Crop, *, five_points: Found | None = None) -> dict[Path, Box] | None:
    """The face boxes that `boxes=` means; None: each image is a face crop, or the network needs no boxes.

    A network that was trained on aligned faces can do with either; that it gets another crop by boxes is logged.

    Args:
        boxes: A CSV file, `whole` or nothing.
        crop: What the network was trained on.
        five_points: Of the faces; where they are given, boxes may be left out.

    Raises:
        ConfigError: If the network needs boxes and nothing was said, or has no use for them.
        DataError: If the file can't be used.
    """
    aligned = crop.mode == "align"
    if boxes is None and five_points is not None:
        return {}
    if boxes is None and crop.mode != "none":
        trained_on, first = ("aligned faces", "five_points=FILE.csv, ") if aligned else ("face boxes", "")
        raise ConfigError(
            f"boxes is not set, but this network was trained on {trained_on}: set {first}boxes=FILE.csv, or "
            "boxes=whole if every image is a face crop."
        )
    if boxes not in (None, "whole") and crop.mode == "none":
        raise ConfigError(
            f"boxes={boxes}: this network was trained on whole images and finds the face itself "
            "(data.crop.mode=none). Leave boxes out."
        )
    if aligned and five_points is None:
        _log.warning(
            "Faces are cropped by boxes, but this network was trained on faces aligned by five points: another crop. "
            "Set five_points=FILE.csv."
        )
    return None if boxes in (None, "whole") else read_boxes(Path(boxes))


def read_boxes(path: Path) -> dict[Path, Box]:
    """The face box of each image, by absolute path, from a CSV file as `read_all_boxes` takes it.

    Raises:
        DataError: As `read_all_boxes`, or if an image has several boxes.
    """
    boxes = read_all_boxes(path)
    for image, found in boxes.items():
        if len(found) > 1:
            raise DataError(f"{path}: a second box of {image}. Set faces=auto to predict every face of an image.")
    return {image: found for image, (found,) in boxes.items()}


def read_all_boxes(path: Path) -> dict[Path, list[Box]]:
    """All face boxes by absolute path of the image, from a CSV file, from whose folder relative paths start.

    It has the columns `image,box_x_min,box_y_min,box_x_max,box_y_max` of the flat CSV data format, separated by comma,
    semicolon or tab; others don't matter.

    Raises:
        DataError: If the file is missing, lacks a column, or a row holds no box.
    """
    columns = ("box_x_min", "box_y_min", "box_x_max", "box_y_max")
    boxes: dict[Path, list[Box]] = {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        separator = next((s for s in (";", "\t") if lines and s in lines[0]), ",")
        rows = csv.DictReader(lines, delimiter=separator, skipinitialspace=True)
        missing = [name for name in ("image", *columns) if name not in (rows.fieldnames or ())]
        if missing:
            raise DataError(f"{path}: the header lacks {', '.join(missing)}. Expected image,{','.join(columns)}.")
        for row in rows:
            x0, y0, x1, y1 = (float(row[name]) for name in columns)
            if not (x0 < x1 and y0 < y1 and math.isfinite(x1 - x0 + y1 - y0)):
                raise ValueError("expected x_min < x_max and y_min < y_max")
            image = Path(os.path.normpath((path.parent / original(row["image"])).absolute()))
            boxes.setdefault(image, []).append((x0, y0, x1, y1))
    except DataError:
        raise
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"boxes={path}: can't be read ({error}). Give a CSV file or `whole`.") from error
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}, line {rows.line_num}: holds no box ({error}).") from error
    return boxes
