import platform
import subprocess
import sys

import pytest

SCRIPT = """
import resource
import numpy as np
from thermal_landmarks.allocator import keep_freed_memory

def page_faults():
    np.ones(40_000_000, np.uint8)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        np.ones(40_000_000, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

usual = page_faults()
assert keep_freed_memory()
print(page_faults(), usual)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_large_blocks_are_reused_with_fewer_page_faults():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    reused, usual = map(int, done.stdout.split())
    assert reused < usual / 2
