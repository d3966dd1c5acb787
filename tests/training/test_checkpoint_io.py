import pytest
import torch

from thermal_landmarks.errors import DataError, OutputError
from thermal_landmarks.training.checkpoint_io import AtomicCheckpoints


class Dies:
    def __reduce__(self):
        raise RuntimeError("power cut")


def test_a_write_that_dies_leaves_the_previous_checkpoint_and_no_rest(tmp_path):
    path = tmp_path / "checkpoints" / "last.ckpt"
    files = AtomicCheckpoints()
    files.save_checkpoint({"weights": torch.ones(1000)}, path)
    with pytest.raises(RuntimeError, match="power cut"):
        files.save_checkpoint({"weights": torch.zeros(1000), "broken": Dies()}, path)
    assert torch.equal(files.load_checkpoint(path)["weights"], torch.ones(1000))
    assert [p.name for p in path.parent.iterdir()] == ["last.ckpt"]


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("code from a checkpoint",))

    path = tmp_path / "evil.ckpt"
    torch.save({"a": Evil()}, path)
    with pytest.raises(DataError, match=r"evil\.ckpt"):
        AtomicCheckpoints().load_checkpoint(path, weights_only=False)


def test_a_missing_and_a_torn_file_are_named(tmp_path):
    with pytest.raises(DataError, match=r"no checkpoint at .*nothing\.ckpt"):
        AtomicCheckpoints().load_checkpoint(tmp_path / "nothing.ckpt")
    torn = tmp_path / "torn.ckpt"
    torch.save({"a": torch.ones(1000)}, torn)
    torn.write_bytes(torn.read_bytes()[:2000])
    with pytest.raises(DataError, match=r"torn\.ckpt"):
        AtomicCheckpoints().load_checkpoint(torn)


@pytest.mark.parametrize("numbers", [10_000, 1_000_000])
def test_a_full_disk_is_one_line_and_leaves_the_previous_checkpoint(tmp_path, numbers):
    resource = pytest.importorskip("resource", reason="no limit on file sizes on this system")
    path = tmp_path / "checkpoints" / "best.ckpt"
    files = AtomicCheckpoints()
    files.save_checkpoint({"weights": torch.ones(100)}, path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"best\.ckpt can't be written: File too large\. .* resume="):
            files.save_checkpoint({"weights": torch.zeros(numbers)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert torch.equal(files.load_checkpoint(path)["weights"], torch.ones(100))
    assert [p.name for p in path.parent.iterdir()] == ["best.ckpt"]


def test_a_folder_that_takes_no_files_is_named(tmp_path):
    (tmp_path / "checkpoints").touch()
    with pytest.raises(OutputError, match=r"last\.ckpt can't be written"):
        AtomicCheckpoints().save_checkpoint({"weights": torch.ones(1)}, tmp_path / "checkpoints" / "last.ckpt")
