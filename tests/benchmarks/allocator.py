"""The allocator settings that app.py makes, without importing the dashboard."""

from __future__ import annotations

import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8


def keep_freed_memory() -> str:
    """Let glibc keep freed pages, for everything that runs in this process. Says what it did.

    To be called before NumPy and PyTorch are imported: both then live by the same rules.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return "as the system has it (no mallopt)"
    mmap = next((size for size in (1 << 30, 32 << 20) if mallopt(MMAP_THRESHOLD, size)), 0)
    mallopt(TRIM_THRESHOLD, 512 << 20)
    mallopt(ARENA_MAX, 2)
    return f"glibc, mmap threshold {mmap >> 20} MiB, trim threshold 512 MiB, on both sides"
