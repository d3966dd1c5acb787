from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def run(run_script: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: str, folder: Path) -> Any:
        return run_script(["src/models.py", *arguments], cwd=folder)

    return run


@pytest.mark.slow
def test_table_lists_the_chosen_pairs_and_leaves_no_files(tmp_path: Path, run: Callable[..., Any]) -> None:
    result = run(
        "image_size=[64,80]", "stems=[conv,alt_conv_resnext]", "branches=[luong]", "timed=true", folder=tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert "ms an image" in result.stdout
    assert "C-2" in result.stdout
    assert "A-2" in result.stdout
    assert "R-2" not in result.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_table_lists_presets_at_their_own_sizes_without_fetching_weights(
    tmp_path: Path, run: Callable[..., Any]
) -> None:
    result = run("experiments=[lotr/m,comparison]", "num_points=106", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    lotr, thermal = (line for line in result.stdout.splitlines() if "LOTR-M" in line or "A-2" in line)
    assert "192x192x3" in lotr
    assert "2,843,074" in lotr
    assert "120x160x1" in thermal


@pytest.mark.slow
def test_unknown_stem_is_an_error_that_lists_the_valid_ones(tmp_path: Path, run: Callable[..., Any]) -> None:
    result = run("stems=[conf]", folder=tmp_path)
    assert result.returncode != 0
    assert "There is no stem 'conf'" in result.stderr
    assert "alt_conv_resnext" in result.stderr
    assert "Traceback" not in result.stderr
