"""Keep freed memory in the process: half the time of a training step, a third of a rendering, can be page faults."""

import ctypes
import platform

_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4


def keep_freed_memory() -> bool:
    """Tell glibc's allocator to reuse large blocks instead of giving each back to the system.

    Training steps, renderings and pictures that are read free and ask for the same large arrays again and again; by
    default each of them is mapped and zeroed again by the kernel. The process keeps its peak memory until it ends.

    Returns:
        Whether the allocator took the settings; False outside Linux with glibc.
    """
    if platform.system() != "Linux" or platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.mallopt(_M_MMAP_MAX, 0)) and bool(libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1))
