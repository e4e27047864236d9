"""The current speed of the disk: figures about renewals mean nothing without it."""
import os
import time
from pathlib import Path

PAGE = os.urandom(4096)
PAGES = 1000


def flushes_per_second(directory: Path, seconds: float = 0.5) -> float:
    """The number of durable 4 KiB overwrites per second."""
    file = directory / "flushes"
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # Allocates the blocks first: otherwise the file would grow, which costs a second flush.
        os.pwrite(descriptor, PAGE * PAGES, 0)
        os.fsync(descriptor)
        count, began = 0, time.monotonic()
        while time.monotonic() < began + seconds:
            os.pwrite(descriptor, PAGE, count % PAGES * len(PAGE))
            os.fdatasync(descriptor)
            count += 1
        return count / (time.monotonic() - began)
    finally:
        os.close(descriptor)
        file.unlink()
