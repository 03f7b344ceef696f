"""What is asked of a fit, and how it becomes the record of a session."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

import torch
import transformers

from ..errors import DctError
from ..models.catalog import ModelSource
from ..models.layer_range import LayerRange, chosen_range
from ..models.loading import LanguageModel
from ..models.slice_delta import TARGET_POSITIONS, SliceDelta
from ..models.templating import as_messages, encode
from ..prompts import hold_out
from ..sessions import FitSettings, ModelSpec, PromptSet, SessionRecord, Slice
from ..sessions.record import now
from ..transcoder import FitConfig, Method, Orthogonalisation
from ..transcoder.config import DEFAULT_FACTORS, DEFAULT_ITERATIONS, DEFAULT_RADII

HASHED_BYTES = 2**22
LARGEST = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class FitRequest:
    """A fit as it is asked for.

    Attributes:
        prompts: fit and validation prompts, and the system prompt.
        source, target: the slice; by default a third of the way up, ten blocks long.
        method, factors, iterations, orthogonalisation, seed, row_batch, radii: as in `FitConfig`.
        scale: R; None calibrates it.
        target_positions: Δ is averaged over so many tokens at the end of each prompt.
    """

    prompts: PromptSet
    source: int | None = None
    target: int | None = None
    method: Method = "exponential"
    factors: int | None = None
    iterations: int = DEFAULT_ITERATIONS
    orthogonalisation: Orthogonalisation = "polar"
    scale: float | None = None
    seed: int = 0
    target_positions: int = TARGET_POSITIONS
    row_batch: int | None = None
    radii: tuple[float, ...] = DEFAULT_RADII

    def layers(self, depth: int) -> LayerRange:
        """The slice in a model of that depth, defaults filled in.

        Raises:
            DctError: no such slice.
        """
        return chosen_range(depth, self.source, self.target)

    def check(self) -> None:
        """Raises DctError for settings that no model could be fitted with, before one is loaded."""
        for name in ("source", "target", "factors", "iterations", "seed", "target_positions", "row_batch"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or abs(value) > LARGEST):
                raise DctError(f"{name} is {value!r}", f"give a whole number up to {LARGEST}")
        if self.scale is not None and not isinstance(self.scale, int | float):
            raise DctError(f"scale is {self.scale!r}", "give a number")
        if self.seed < 0:
            raise DctError(f"a seed of {self.seed} cannot be drawn from", "give one from 0 up")
        self.config(sys.maxsize, 1.0 if self.scale is None else self.scale)

    def config(self, width: int, scale: float) -> FitConfig:
        """The settings of the mathematics, at scale R, in a model of that width.

        Raises:
            DctError: settings that cannot be fitted.
        """
        config = FitConfig(
            scale=scale,
            method=self.method,
            factors=min(DEFAULT_FACTORS, width) if self.factors is None else self.factors,
            iterations=self.iterations,
            orthogonalisation=self.orthogonalisation,
            seed=self.seed,
            row_batch=self.row_batch,
            radii=self.radii,
        )
        try:
            config.check(width, width)
        except ValueError as error:
            raise DctError(str(error)) from None
        return config


def record_of(lm: LanguageModel, request: FitRequest, name: str) -> SessionRecord:
    """The record of a new session.

    Raises:
        DctError: a slice or settings that cannot be fitted.
    """
    layers = request.layers(lm.depth)
    config = request.config(lm.width, request.scale if request.scale is not None else 1.0)
    return SessionRecord(
        name=name,
        created=now(),
        model=ModelSpec(
            spec=lm.source.name,
            path=str(lm.source.folder),
            commit=lm.source.commit,
            config_sha256=config_sha256(lm.source),
            weights_sha256=weights_sha256(lm.source),
            model_type=str(lm.model.config.model_type),
            depth=lm.depth,
            width=lm.width,
            dtype=str(lm.dtype).removeprefix("torch."),
            device=str(lm.device),
            trust_remote_code=lm.trusts_remote_code,
        ),
        slice=Slice(layers.source, layers.target),
        prompts=request.prompts,
        fit=FitSettings(
            method=config.method,
            factors=config.factors,
            iterations=config.iterations,
            orthogonalisation=config.orthogonalisation,
            seed=config.seed,
            scale=request.scale,
            target_positions=request.target_positions,
            options={"radii": list(config.radii)},
        ),
        row_batch=request.row_batch,
        versions={
            "dct-tui": version("dct-tui"),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
    )


def config_sha256(source: ModelSource) -> str:
    """The hash of a model's `config.json`, by which a session knows its model again."""
    return hashlib.sha256((source.folder / "config.json").read_bytes()).hexdigest()


def weights_sha256(source: ModelSource) -> str:
    """The hash of what tells a model's weights from others: their files' names, sizes, beginnings and ends."""
    digest = hashlib.sha256()
    for path in sorted([*source.folder.glob("*.safetensors"), *source.folder.glob("*.bin")]):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}\n".encode())
        with path.open("rb") as file:
            digest.update(file.read(HASHED_BYTES))
            file.seek(max(0, size - HASHED_BYTES))
            digest.update(file.read(HASHED_BYTES))
    return digest.hexdigest()


def request_of(record: SessionRecord) -> FitRequest:
    """The request that a session's record answers, to go on with it or to repeat it."""
    return FitRequest(
        prompts=record.prompts,
        source=record.slice.source,
        target=record.slice.target,
        method=record.fit.method,  # type: ignore[arg-type]  # checked when it is fitted
        factors=record.fit.factors,
        iterations=record.fit.iterations,
        orthogonalisation=record.fit.orthogonalisation,  # type: ignore[arg-type]
        scale=record.fit.scale,
        seed=record.fit.seed,
        target_positions=record.fit.target_positions,
        row_batch=record.row_batch,
        radii=_radii_of(record),
    )


def _radii_of(record: SessionRecord) -> tuple[float, ...]:
    """Before there were radii all directions were trained at R: such a fit goes on as it began."""
    kept = record.fit.options.get("radii", [1.0])
    return tuple(kept) if isinstance(kept, list) else ()  # Refused, as numbers out of range are, when it is fitted.


def prompt_set(prompts: Sequence[str], validation: Sequence[str] | None, system: str | None, seed: int) -> PromptSet:
    """The prompts to fit on and to judge on; without validation prompts a quarter is held back, chosen by the seed.

    Raises:
        DctError: one text where several are meant, or a prompt with nothing in it.
    """
    for texts in (prompts, validation or ()):
        if isinstance(texts, str) or not all(isinstance(text, str) and text.strip() for text in texts):
            raise DctError("prompts are a list of texts with something in them", "put a single prompt in a list")
    fitted, held = hold_out(prompts, seed) if validation is None else (prompts, validation)
    return PromptSet.of(fitted, held, system)


def encode_prompts(lm: LanguageModel, prompts: Sequence[str], system: str | None) -> list[list[int]]:
    """Token ids of prompts as the model sees them."""
    return [encode(lm, as_messages(prompt, system)) for prompt in prompts]


def session_delta(lm: LanguageModel, record: SessionRecord) -> SliceDelta:
    """The Δ that a session is fitted to."""
    prompts = encode_prompts(lm, record.prompts.fit, record.prompts.system)
    layers = LayerRange(record.slice.source, record.slice.target)
    if record.fit.method == "quadratic":
        # A pad attends to nothing, and the second derivative of a softmax over nothing is NaN: no prompt is padded.
        lm = replace(lm, pads=False)
    return SliceDelta(lm, prompts, layers, positions=record.fit.target_positions)
