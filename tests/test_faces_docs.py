"""The commands of docs/faces.md, run as they stand, on pictures with two faces each."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

PAGE = (Path(__file__).parents[1] / "docs" / "faces.md").read_text(encoding="utf-8")
SMALL = {
    "check_data": ["output=checked", "samples=2"],
    "train": ["debug=fast", "data.batch_size=2", "data.image_size=[96,128]", "data.workers=1", "output=trained"],
}


@pytest.fixture
def folder(tmp_path: Path, blob_faces: Any) -> Path:
    source, width = blob_faces, blob_faces.size[1]
    (tmp_path / "faces").mkdir()
    images: list[dict[str, Any]] = []
    faces: list[dict[str, Any]] = []
    annotations = source.annotations()
    for number in range(6):
        pair = annotations[2 * number : 2 * number + 2]
        values = np.hstack([source.load(annotation).values for annotation in pair])
        Image.fromarray(np.rint(values * 100).astype(np.uint16)).save(tmp_path / "faces" / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "subject": f"s{number}", "unit": "centi_celsius"})
        for side, annotation in enumerate(pair):
            triples = [v for x, y in annotation.points_px.tolist() for v in (x + side * width, y, 2)]
            faces.append({"id": len(faces), "image_id": number, "keypoints": triples})
        faces.append({"id": len(faces), "image_id": number, "bbox": [10, 10, 20, 20], "iscrowd": 1})
    content = {"images": images, "annotations": faces, "categories": []}
    (tmp_path / "faces" / "annotations.json").write_text(json.dumps(content))
    return tmp_path


@pytest.mark.slow
def test_the_commands_of_the_page_check_pictures_of_two_faces_and_train_a_finder(folder: Path, run_script: Any) -> None:
    (block,) = re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL)
    for line in block.strip().splitlines():
        name, *settings = shlex.split(line.removeprefix("uv run thermal-landmarks "))
        result = run_script([f"src/{name}.py", *settings, *SMALL[name]], cwd=folder)
        assert result.returncode == 0, result.stderr
    sheet = Image.open(folder / "checked" / "faces.png")
    assert sheet.size == (960, 360)
    assert json.loads((folder / "checked" / "report.json").read_text())["faces"] == 12
    assert "Weights of face_finder" in result.stdout
    assert "Test metrics" in result.stdout


def test_landmarks_are_trained_on_each_face_and_the_check_shows_both(folder: Path, run_script: Any) -> None:
    data = ["data=coco", "data.source.annotation_file=faces/annotations.json", "data.image_size=[48,64]"]
    result = run_script(["src/check_data.py", *data, "samples=2", "output=checked"], cwd=folder)
    assert result.returncode == 0, result.stderr
    assert {path.name for path in (folder / "checked").glob("*.png")} == {"faces.png", "montage.png"}
    red, green, blue = np.moveaxis(np.asarray(Image.open(folder / "checked" / "faces.png"), dtype=int), 2, 0)
    assert ((red == 0x99) & (green == 0x99) & (blue == 0x99)).mean() > 3e-4  # the edges of the crowds
    small = ["stem=conv", "branch=none", "debug=fast", "data.batch_size=2", "output=trained"]
    result = run_script(["src/train.py", *data, *small], cwd=folder)
    assert result.returncode == 0, result.stderr
    assert "Test metrics" in result.stdout
