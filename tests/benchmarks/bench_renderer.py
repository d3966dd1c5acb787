"""Speed of the renderer and memory of its cache: `uv run pytest -n 0 -s tests/benchmarks/bench_renderer.py`.

The machine should do nothing else meanwhile.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ONE_CORE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

SPEED_SCRIPT = """
import sys, time
from thermal_landmarks.allocator import keep_freed_memory
from thermal_faces import SyntheticFaces
keep_freed_memory()  # as the processes that fill a cache do
source = SyntheticFaces(subjects=40, images_per_subject=1, size=(int(sys.argv[1]), int(sys.argv[2])))
def seconds():
    start = time.process_time()
    for subject in range(40):
        source.render(subject, 0)
    return time.process_time() - start
seconds()
print(40 / min(seconds() for _ in range(3)))
"""

SCENES_SCRIPT = """
import time
from thermal_landmarks.allocator import keep_freed_memory
from thermal_faces import SyntheticScenes
keep_freed_memory()
scenes = SyntheticScenes(images=600, size=(240, 320), crowd={"most": 4})
def seconds():
    start = time.process_time()
    for index in range(100):
        scenes.render(index)
    return time.process_time() - start
for index in range(100, 600):  # every process paints its distant people once
    scenes.render(index)
print(100 / min(seconds() for _ in range(3)))
"""

MEMORY_SCRIPT = """
import sys, threading, time
from pathlib import Path
from thermal_landmarks.data.cache import load_or_build
from thermal_landmarks.data.preprocessing import Preprocessing
from thermal_faces import SyntheticFaces
def private_mb():
    info = dict(line.split(':') for line in Path('/proc/self/status').read_text().splitlines())
    return int(info['RssAnon'].split()[0]) / 1024
peak = 0.0
def watch():
    global peak
    while True:
        peak = max(peak, private_mb())
        time.sleep(0.02)
source = SyntheticFaces(subjects=int(sys.argv[1]) // 10, images_per_subject=10, size=(48, 64))
source.render(0, 0)
threading.Thread(target=watch, daemon=True).start()
load_or_build(source, Preprocessing((48, 64)), Path(sys.argv[2]), workers=1)
print(peak)
"""


def measure(script: str, *arguments: object) -> float:
    """What the script prints, from a process of its own."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    result = subprocess.run(command, env={**os.environ, **ONE_CORE}, capture_output=True, text=True, check=True)
    return float(result.stdout)


@pytest.mark.parametrize(("height", "width", "at_least"), [(480, 640, 35), (240, 320, 70)])
def test_frames_a_second_of_one_core(height: int, width: int, at_least: float) -> None:
    rate = measure(SPEED_SCRIPT, height, width)
    print(f"\n{height}x{width}: {rate:.0f} frames/s a core")
    assert rate >= at_least


def test_scenes_with_up_to_four_people_a_second_of_one_core() -> None:
    rate = measure(SCENES_SCRIPT)
    print(f"\nscenes of 240x320 with up to four people: {rate:.0f} a second of one core")
    assert rate >= 40


def test_memory_of_writing_a_cache_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    few, many = (measure(MEMORY_SCRIPT, count, tmp_path / str(count)) for count in (200, 2_000))
    each_kb = 1024 * (many - few) / 1_800  # annotation and what the checks keep of an image
    print(
        f"\npeak private memory of writing a cache: {few:.0f} MB for 200 images, {many:.0f} MB for 2,000; "
        f"{each_kb:.1f} KB an image"
    )
    assert many < few * 1.1
