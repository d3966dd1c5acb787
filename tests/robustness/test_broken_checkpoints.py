"""Some 170 broken checkpoints: each predicts or is refused by name, none executes what it holds."""

from collections.abc import Callable
from pathlib import Path

import torch
from robustness.bounds import held_to_bounds
from robustness.broken_checkpoints import MARK, broken_checkpoints

from thermal_landmarks.models.checkpoint import load_checkpoint


def test_every_broken_checkpoint_is_refused_by_name_or_predicts(
    make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    good = make_checkpoint()
    file = tmp_path / "broken.ckpt"
    wrong, count = [], 0
    load_checkpoint(good)  # the first one imports much
    for name, content in broken_checkpoints(good, tmp_path):
        count += 1
        file.write_bytes(content)
        try:
            loaded, _ = held_to_bounds(lambda: load_checkpoint(file), file.name)
            if loaded is not None:
                images = torch.zeros(1, *loaded.network.image_shape)
                assert loaded.network(images).shape == (1, loaded.scheme.num_points, 2)
        except Exception as error:
            wrong.append(f"{name}: {type(error).__name__}: {str(error)[:150]}")
        assert not (tmp_path / MARK).exists(), f"{name} was executed"
    assert not wrong, "\n".join(wrong)
    assert count > 150


def test_the_command_refuses_a_broken_checkpoint_in_one_line(
    make_checkpoint: Callable[..., Path], tmp_path: Path, run_script: Callable[..., object]
) -> None:
    good = make_checkpoint()
    (tmp_path / "half.ckpt").write_bytes(good.read_bytes()[:3000])
    (tmp_path / "a.csv").write_text("1;2\n3;4\n", encoding="utf-8")
    for command, words in (
        ("predict", [f"source={tmp_path / 'a.csv'}"]),
        ("evaluate", ["data=synthetic"]),
        ("visualize", []),
    ):
        done = run_script([f"src/{command}.py", f"checkpoint={tmp_path / 'half.ckpt'}", *words], cwd=tmp_path)
        said = done.stderr.strip()  # type: ignore[attr-defined]
        assert done.returncode == 1  # type: ignore[attr-defined]
        assert "half.ckpt is not a checkpoint of this project" in said
        assert "Traceback" not in said
        assert len(said.splitlines()) == 1, said
