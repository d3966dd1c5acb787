import platform
import subprocess
import sys

import pytest

SCRIPT = """
import resource, torch
from thermal_landmarks.allocator import keep_freed_memory
if {keep}:
    assert keep_freed_memory()
block = lambda: torch.ones(16_000_000)
block()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    block()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_large_blocks_are_reused_with_fewer_page_faults():
    def page_faults(keep):
        command = [sys.executable, "-c", SCRIPT.format(keep=keep)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert page_faults(True) < page_faults(False) / 2
