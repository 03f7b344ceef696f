"""What a device can do: the memory that is free, and its speed on blocks of a model's size, measured and kept."""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import torch
from torch import Tensor
from torch.nn.functional import linear, rms_norm, scaled_dot_product_attention, silu

from ..errors import DctError
from ..paths import data_root
from ..sessions.atomic import write_atomic

SPEEDS = "speeds.json"
MEMINFO = Path("/proc/meminfo")
# Limit, use, and what of that is files that the kernel drops when it needs room: version 2, version 1.
CGROUPS = (
    (Path("/sys/fs/cgroup"), "memory.max", "memory.current", ("inactive_file", "active_file")),
    (
        Path("/sys/fs/cgroup/memory"),
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        ("total_inactive_file", "total_active_file"),
    ),
)
TIMES = 3
# Work of one trial, in operations; and weights of the block, so that measuring takes a moment and little memory.
WORK = {"cpu": 4e9, "cuda": 4e12}
WEIGHTS = {"cpu": 2**23, "cuda": 2**29}


@dataclass(frozen=True)
class Speed:
    """Seconds that one token takes in one block of a given size.

    Attributes:
        forward: forwards alone.
        both: forwards, and backwards to the block's input.
    """

    forward: float
    both: float


def available_bytes(device: str) -> int:
    """Bytes that can still be taken of a device; for a CPU of main memory, as its control group allows.

    Raises:
        DctError: there is no such device.
    """
    if not device.startswith("cuda"):
        return _available_memory()
    try:
        free, _ = torch.cuda.mem_get_info(torch.device(device))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise DctError(f"there is no device {device}", "see `dct-tui doctor`") from error
    return int(free)


def device_name(device: str) -> str:
    """A device as a person knows it."""
    if device.startswith("cuda"):
        with suppress(RuntimeError, AssertionError, ValueError):
            return f"{device} ({torch.cuda.get_device_name(torch.device(device))})"
    return device


def speed(
    device: str, dtype: str, *, width: int, inner: int, heads: int, tokens: int, rows: int, measure: bool = True
) -> Speed | None:
    """How fast a device is on a block of this size; measured once and kept in the data folder.

    Args:
        dtype: as torch names it.
        width, inner, heads: of the block.
        tokens, rows: of a batch.
        measure: whether it may be measured now, which takes about a second; a device that is at work measures wrong.

    Returns:
        None where it is not known, and cannot be measured now.
    """
    key = (
        "|".join(
            map(str, (platform.node(), device_name(device), dtype, torch.get_num_threads(), width, inner, heads))
            # Sizes that differ little differ little in speed.
        )
        + f"|{tokens.bit_length()}|{rows.bit_length()}"
    )
    known = _read()
    with suppress(KeyError, TypeError, ValueError):
        return Speed(**known[key])
    if not measure:
        return None
    try:
        found = _measure(device, getattr(torch, dtype), width, inner, heads, tokens, rows)
    except (RuntimeError, AssertionError):
        return None  # a device that is full, or knows no such dtype
    known[key] = {"forward": found.forward, "both": found.both}
    with suppress(DctError, OSError):
        data_root().mkdir(parents=True, exist_ok=True)
        write_atomic(data_root() / SPEEDS, orjson.dumps(known, option=orjson.OPT_INDENT_2))
    return found


def _measure(device: str, dtype: torch.dtype, width: int, inner: int, heads: int, tokens: int, rows: int) -> Speed:
    kind = "cuda" if device.startswith("cuda") else "cpu"
    asked = 4 * width**2 + 3 * width * inner
    # Too large a block is measured on a smaller one of the same proportions: there the time goes by its weights.
    shrink = max(1.0, (asked / WEIGHTS[kind]) ** 0.5)
    heads = max(1, min(heads, round(width / shrink) // 8))
    width, inner = max(8, round(width / shrink) // heads) * heads, max(8, round(inner / shrink))
    weights = 4 * width**2 + 3 * width * inner
    rows = max(1, min(rows, int(WORK[kind] / (6 * weights * tokens))))
    block = _block(width, inner, heads, dtype, device)
    x = torch.randn(rows, tokens, width, dtype=dtype, device=device)

    def forward() -> None:
        with torch.no_grad():
            block(x)

    def both() -> None:
        leaf = x.detach().requires_grad_()
        torch.autograd.grad(block(leaf).float().sum(), leaf)

    share = asked / weights / (rows * tokens)
    return Speed(_time(forward, kind) * share, _time(both, kind) * share)


def _block(width: int, inner: int, heads: int, dtype: torch.dtype, device: str) -> Callable[[Tensor], Tensor]:
    def matrix(out: int, into: int) -> Tensor:
        return torch.randn(out, into, dtype=dtype, device=device) / math.sqrt(into)

    query, key, value, output = (matrix(width, width) for _ in range(4))
    gate, up, down = matrix(inner, width), matrix(inner, width), matrix(width, inner)

    def norm(x: Tensor) -> Tensor:
        normed: Tensor = rms_norm(x.float(), (width,))
        return normed.to(dtype)

    def apply(x: Tensor) -> Tensor:
        h = norm(x)
        q, k, v = (linear(h, w).unflatten(-1, (heads, -1)).transpose(1, 2) for w in (query, key, value))
        x = x + linear(scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2), output)
        h = norm(x)
        y: Tensor = x + linear(silu(linear(h, gate)) * linear(h, up), down)
        return y

    return apply


def _time(work: Callable[[], None], kind: str) -> float:
    wait: Callable[[], Any] = torch.cuda.synchronize if kind == "cuda" else lambda: None
    best = float("inf")
    for _ in range(TIMES + 1):  # the first is warming up, and never the best
        wait()
        begun = time.perf_counter()
        work()
        wait()
        best = min(best, time.perf_counter() - begun)
    return best


def _available_memory() -> int:
    found = []
    with suppress(OSError, ValueError, IndexError, StopIteration):
        line = next(line for line in MEMINFO.read_text().splitlines() if line.startswith("MemAvailable:"))
        found.append(int(line.split()[1]) * 1024)
    for folder, limit, used, dropped in CGROUPS:
        with suppress(OSError, ValueError):
            stat = dict(line.split(None, 1) for line in (folder / "memory.stat").read_text().splitlines())
            in_use = int((folder / used).read_text()) - sum(int(stat.get(name, 0)) for name in dropped)
            found.append(max(0, int((folder / limit).read_text()) - max(0, in_use)))
    if not found:
        with suppress(OSError, ValueError):
            found.append(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(found, default=0)


def _read() -> dict[str, Any]:
    try:
        value = orjson.loads((data_root() / SPEEDS).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}
