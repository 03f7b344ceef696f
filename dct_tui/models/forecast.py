"""What opening a model and fitting a slice of it would take, told before anything is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..errors import DctError
from ..transcoder.calibration import DIRECTIONS
from .catalog import find_model
from .loading import DTYPES, default_device
from .machine import Speed, available_bytes, device_name, speed
from .shape import SIZES, ModelShape, read_shape
from .slice_delta import ACTIVATIONS_A_BLOCK, CPU_TOKENS, PAD_ALLOWANCE, by_length
from .slices import LayerRange

# What a block keeps for its backward pass, a token, in numbers: measured on Llama, Qwen, Gemma and Mixtral
# (GPT-2 keeps a sixth more). Norms are computed in float32, so in lower precision they keep more.
KEPT_OF_WIDTH, KEPT_OF_INNER = 7.0, 3.0
KEPT_IN_LOW_PRECISION = 2.5
CALIBRATION_STEPS = 18  # points of the curve that are evaluated as a rule
TANGENT = 2.5  # forwards that a tangent costs, attention in its plain form
SECOND_DERIVATIVE = 12.0  # forwards with backwards that an iteration of second derivatives costs
SECOND_GRAPHS = 11.0  # what they keep, in graphs of a first
# Gradients on their way back, and what allocators keep for later: main memory's keeps more.
OVERHEAD = {"cpu": 1.6, "cuda": 1.15}
JUDGED_PROMPTS, JUDGED_TOKENS, LOGITS_AT_ONCE, LOGIT_COPIES, DESCRIBED_ROWS = 4, 32, 2**26, 6, 32
STARTING_S = 2.0  # recording, proving, writing
SLOW_S = 3600.0
HEADROOM = 1.1
MAIN_MEMORY = "main memory"


@dataclass(frozen=True, kw_only=True)
class FitSize:
    """A fit, as far as its cost goes.

    Attributes:
        layers: the slice.
        method, factors, iterations: as in `FitConfig`.
        tokens: of each prompt it is fitted on.
        judged: of each prompt that features are judged on.
        calibrates: whether R is to be found.
        row_batch: where it is given.
    """

    layers: LayerRange
    method: str
    factors: int
    iterations: int
    tokens: Sequence[int]
    judged: Sequence[int]
    calibrates: bool = True
    row_batch: int | None = None


@dataclass(frozen=True)
class Forecast:
    """What loading and fitting would take.

    Attributes:
        device: as a person knows it.
        load_bytes: of the weights there.
        fit_bytes: the most that a fit would need there, the weights among it; None without a fit.
        available_bytes: what can still be taken there.
        seconds: of the fit; None without one, and where no speed is known.
        fits: whether what is available suffices, with a tenth to spare.
        notes: what a person should know, in words.
    """

    device: str
    load_bytes: int
    fit_bytes: int | None
    available_bytes: int
    seconds: float | None
    fits: bool
    notes: tuple[str, ...] = ()


def forecast(
    name: str,
    *,
    dtype: str = "auto",
    device: str | None = None,
    revision: str | None = None,
    fit: FitSize | None = None,
    freed: int = 0,
    measure: bool = True,
) -> Forecast:
    """Forecasts opening a model, and with `fit` fitting it.

    Args:
        name: `builtin`, a folder, or the id of a cached hub model.
        dtype, device, revision: as in `open_model`.
        freed: bytes of that device that will be free by then.
        measure: whether the device's speed may be measured now.

    Raises:
        DctError: no such model, device or dtype, or files that do not tell enough.
    """
    if dtype != "auto" and dtype not in DTYPES:
        raise DctError(f"there is no dtype {dtype!r}", f"choose auto or one of {', '.join(DTYPES)}")
    device = device or default_device()
    shape = read_shape(find_model(name, revision))
    opened = _opened_dtype(shape, dtype, device)
    available = available_bytes(device) + freed
    load = shape.bytes_in(opened)
    needed, seconds = None, None
    if fit is not None:
        rows = _row_batch(shape, fit, opened, device, available - load)
        needed = load + max(_step_bytes(shape, fit, opened, device, rows), _describe_bytes(shape))
        seconds = _seconds(shape, fit, opened, device, rows, measure)
    most = needed or load
    notes = _notes(shape, opened, device, load, most, available, seconds)
    fits = most * HEADROOM <= available and not any(MAIN_MEMORY in note for note in notes)
    return Forecast(device_name(device), load, needed, available, seconds, fits, notes)


def _opened_dtype(shape: ModelShape, dtype: str, device: str) -> str:
    if dtype != "auto":
        return str(DTYPES[dtype]).removeprefix("torch.")
    return "float32" if device == "cpu" and not shape.packed_bytes else shape.dtype


def _tokens(fit: FitSize) -> int:
    """Of all prompts, with the pads that groups of about equal length get."""
    groups = by_length([range(count) for count in fit.tokens], PAD_ALLOWANCE)
    return max(1, sum(len(group) * len(group[-1]) for group in groups))


def _row_batch(shape: ModelShape, fit: FitSize, dtype: str, device: str, free: int) -> int:
    """The rows that the fit would take at once, as `SliceDelta.suggested_rows` chooses them."""
    if fit.row_batch is not None:
        rows = fit.row_batch
    elif not device.startswith("cuda"):
        rows = CPU_TOKENS // _tokens(fit)
    else:
        blocks = fit.layers.target - fit.layers.source
        row_bytes = _tokens(fit) * blocks * shape.width * ACTIVATIONS_A_BLOCK * SIZES[dtype]
        rows = min(512, int(max(0, free) * 0.6) // row_bytes)
    return max(1, min(rows, fit.factors))


def _step_bytes(shape: ModelShape, fit: FitSize, dtype: str, device: str, rows: int) -> int:
    """Activations that one batch of rows keeps, and the matrices of the fit."""
    low = 0.0 if SIZES[dtype] >= 4 else KEPT_IN_LOW_PRECISION
    kept = shape.width * (KEPT_OF_WIDTH + low) + shape.inner * KEPT_OF_INNER
    blocks = fit.layers.target - fit.layers.source
    # Beside what blocks keep: the states between them, on the way there and back.
    activations = rows * _tokens(fit) * (blocks * kept + 4 * shape.width) * SIZES[dtype]
    graphs = SECOND_GRAPHS if fit.method == "quadratic" else 1.0
    return (
        round(activations * graphs * OVERHEAD["cuda" if device.startswith("cuda") else "cpu"])
        + 10 * shape.width * fit.factors * 4
    )


def _describe_bytes(shape: ModelShape) -> int:
    """Distributions over the vocabulary, as many as are compared at once."""
    a_row = JUDGED_TOKENS * shape.vocabulary
    return LOGIT_COPIES * 4 * a_row * max(1, min(DESCRIBED_ROWS, LOGITS_AT_ONCE // a_row))


def _seconds(shape: ModelShape, fit: FitSize, dtype: str, device: str, rows: int, measure: bool) -> float | None:
    tokens = _tokens(fit)
    longest = max(fit.tokens, default=1)
    # An MLP without a gate has two matrices: blocks of like weights take like time.
    inner = max(8, round((shape.block_weights - 4 * shape.width**2) / (3 * shape.width)))
    pace = speed(
        device,
        dtype,
        width=shape.width,
        inner=inner,
        heads=shape.heads,
        tokens=longest,
        rows=max(1, rows * tokens // longest),
        measure=measure,
    )
    if pace is None:
        return None
    forwards, with_backwards = _passes_of(shape, fit)
    in_slice = tokens * (fit.layers.target - fit.layers.source)
    return (
        STARTING_S + in_slice * (forwards * pace.forward + with_backwards * pace.both) + _describing(shape, fit, pace)
    )


def _passes_of(shape: ModelShape, fit: FitSize) -> tuple[float, float]:
    """Rows that go forwards alone, and forwards and backwards, from the first to the last of a fit."""
    forwards = DIRECTIONS * (TANGENT + CALIBRATION_STEPS) if fit.calibrates else 0.0
    m, both = fit.factors, 0.0
    if fit.method in ("exponential", "melbo"):
        both = m * (1.0 + fit.iterations)
    elif fit.method == "quadratic":
        both = m * SECOND_DERIVATIVE * (1 + fit.iterations)
    elif fit.method == "linear":
        both = float(shape.width)
    elif fit.method == "projected":
        both = float(max(32, m))
    forwards += m * (TANGENT if fit.method in ("linear", "projected") else 1.0)
    return forwards + m, both  # the norms of what features do are evaluated once more


def _describing(shape: ModelShape, fit: FitSize, pace: Speed) -> float:
    judged = sum(list(fit.judged)[:JUDGED_PROMPTS])
    replies = JUDGED_TOKENS * min(JUDGED_PROMPTS, len(fit.judged))
    a_token = shape.depth * pace.forward
    logits = 2 * shape.width * shape.vocabulary / max(1, 2 * shape.block_weights) * pace.forward
    return fit.factors * ((judged + replies) * a_token + replies * logits)


def _notes(
    shape: ModelShape, dtype: str, device: str, load: int, most: int, available: int, seconds: float | None
) -> tuple[str, ...]:
    notes = []
    if most * HEADROOM > available:
        notes.append("does not fit" if load * HEADROOM > available else "opens, but the fit does not fit")
        if SIZES[dtype] > 2 and shape.bytes_in("bfloat16") * HEADROOM + most - load <= available:
            notes.append("needs --dtype bf16")
        elif device.startswith("cuda"):
            notes.append("try --device-map auto, or --device cpu")
    if device.startswith("cuda"):
        memory = available_bytes("cpu")
        if load > memory:
            notes.append(f"its weights pass through {MAIN_MEMORY}, of which {memory / 1e9:.1f} GB are free")
    if seconds is not None and seconds > SLOW_S:
        notes.append("slow" + (" on this CPU" if device == "cpu" else "") + ": fewer factors, prompts or blocks help")
    if device == "cpu" and torch.cuda.is_available():
        notes.append("there is a GPU that is not used")
    return tuple(notes)
