from collections.abc import Callable, Iterator

import pytest
import torch

from thermal_landmarks.inference import threads
from thermal_landmarks.inference.threads import MeasuredThreads


@pytest.fixture(autouse=True)
def threads_stay() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    assert torch.get_num_threads() == before
    torch.set_num_threads(before)


def chosen(monkeypatch: pytest.MonkeyPatch, seconds: Callable[[int], float], *, most: int = 8) -> list[int]:
    """The number of threads at each batch, where a batch takes a time that depends on it."""
    clock = 0.0
    monkeypatch.setattr(threads.time, "perf_counter", lambda: clock)
    counts = []
    with MeasuredThreads(torch.device("cpu"), most=most) as measured:
        for number in range(20):
            with measured.batch(4):
                counts.append(torch.get_num_threads())
                clock += 4 * (seconds(counts[-1]) + (100 if number == 0 else 0))
    return counts


def test_an_idle_machine_gives_the_network_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = chosen(monkeypatch, lambda count: 1 / count)
    assert counts == [1] * 3 + [2] * 2 + [4] * 2 + [8] * 13


def test_on_a_busy_machine_one_thread_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = chosen(monkeypatch, lambda count: count**2)
    assert counts == [1] * 3 + [2] * 2 + [1] * 15


def test_the_best_number_between_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = chosen(monkeypatch, lambda count: {1: 1.0, 2: 0.6, 3: 0.7}[count], most=3)
    assert counts == [1] * 3 + [2] * 2 + [3] * 2 + [2] * 13


def test_with_one_thread_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(chosen(monkeypatch, lambda count: 1.0, most=1)) == {1}


def test_threads_do_not_matter_beside_an_accelerator() -> None:
    before = torch.get_num_threads()
    with MeasuredThreads(torch.device("meta"), most=before + 1) as measured, measured.batch(1):
        assert torch.get_num_threads() == before
