"""Memory: how much is in use, and running out of it told as an error that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..errors import DctError
from .resident import resident_bytes

CPU_REFUSAL = "can't allocate memory"


def bytes_in_use(device: torch.device) -> int:
    """Bytes that this process has taken of a device; on a CPU, that it holds altogether."""
    return torch.cuda.memory_reserved(device) if device.type == "cuda" else resident_bytes()


@contextmanager
def within_memory(advice: str) -> Iterator[None]:
    """A block in which running out of memory raises DctError with that advice."""
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, torch.OutOfMemoryError) and CPU_REFUSAL not in str(error):
            raise
        raise DctError("the memory of the device does not suffice", advice) from error
