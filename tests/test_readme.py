"""The commands of the README, run as they stand on small data, inside this process."""

import re
import shlex
import shutil
from pathlib import Path

import av
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
LINES = [
    line.split("  #")[0].strip()
    for block in re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
    for line in block.splitlines()
]
SETUP = "python3 -m pip install -q uv && python3 -m "  # on a bare machine; see .ci/bare_machine
SCRIPT = "uv run thermal-landmarks "
COMMANDS = [line for line in LINES if line.removeprefix(SETUP).startswith(("uv run python src/", SCRIPT))]
SMALL = {
    "train.py": [
        "data.image_size=[48,64]",
        "trainer.limit_train_batches=2",
        "trainer.max_epochs=2",
        "data.batch_size=4",
    ],
    "models.py": ["stems=[conv]", "image_size=[120,160]"],
    "render_sequence.py": ["seconds=0.3", "size=[60,80]", "workers=1"],
    "visualize.py": ["steps=3"],
    "report.py": ["augmentation_samples=1"],
}
SYNTHETIC = ["data.source.subjects=6", "data.source.images_per_subject=1"]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, blob_coco):
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(blob_coco.parent, folder / "faces")
    (folder / "src").symlink_to(ROOT / "src")
    room = np.random.default_rng(0).normal(90, 5, (3, 60, 80)).astype(np.uint8)
    with av.open(str(folder / "recording.mp4"), "w") as video:
        stream = video.add_stream("libx264", rate=9)
        stream.height, stream.width = room.shape[1:]
        for frame in room:
            video.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="gray")))
        video.mux(stream.encode(None))
    return folder


def words_of(line):
    """File name of the command, and its settings."""
    typed = line.removeprefix(SETUP)
    if typed.startswith(SCRIPT):
        name, *settings = shlex.split(typed.removeprefix(SCRIPT))
        return [f"{name}.py", *settings]
    path, *settings = shlex.split(typed.removeprefix("uv run python "))
    return [Path(path).name, *settings]


def run(line, workplace, run_script):
    command, *words = words_of(line)
    runs = sorted((workplace / "outputs" / "train").glob("*/metrics.json"))
    words = [word.replace("outputs/train/RUN", str(runs[0].parent)) if runs else word for word in words]
    zooms = "experiment=recipes/fine_tune" in words  # its views are larger than the small images
    if not any(word.startswith(("resume=", "debug=")) for word in words):
        words += [word for word in SMALL.get(command, []) if not (zooms and word.startswith("data.image_size"))]
        words += SYNTHETIC if command == "train.py" and "data=coco" not in words else []
        words += ["search.trials=2"] if "search=quick" in words else []
        words += ["callbacks.figures=null", "logger=none", "trainer.max_epochs=1"] if "--multirun" in words else []
    elif "debug=limit" in words:
        words += ["data.image_size=[48,64]", *SYNTHETIC]
    return run_script([f"src/{command}", *words], cwd=workplace, env={"WANDB_MODE": "offline"})


def test_readme_has_the_main_commands():
    named = {words_of(line)[0] for line in COMMANDS}
    assert named == {
        "train.py",
        "check_data.py",
        "evaluate.py",
        "info.py",
        "predict.py",
        "models.py",
        "render_sequence.py",
        "report.py",
        "track.py",
        "visualize.py",
    }
    assert LINES[:2] == [
        f"{SETUP}uv run thermal-landmarks train stem=alt_conv_resnext branch=luong",
        f"{SETUP}uv run pytest",
    ]
    assert "step uv run pytest" in (ROOT / ".ci" / "run").read_text().splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("line", COMMANDS)
def test_readme_command_works(line, workplace, run_script):
    if "resume=last" in line:  # there must be something to resume
        finished = max((workplace / "outputs" / "train").glob("*/metrics.json"), key=lambda p: p.stat().st_mtime)
        finished.unlink()
    result = run(line, workplace, run_script)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
