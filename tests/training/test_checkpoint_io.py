import pytest
import torch

from thermal_landmarks.errors import DataError
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
