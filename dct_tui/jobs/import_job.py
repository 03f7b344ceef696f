"""Vectors of other programs into a session, as features that are sampled, marked and exported like its own."""

from __future__ import annotations

import dataclasses
import pickle
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import DctError
from ..export.importing import LARGEST, FoundVector, from_arrays, read_vectors
from ..export.vectors import Float32
from ..features.describe import describe
from ..features.divergence import Divergence
from ..models.interventions import Steering
from ..models.language_model import LanguageModel
from ..models.slice_delta import SliceDelta
from ..models.slices import LayerRange
from ..models.templating import as_messages, encode
from ..paths import expand
from ..sessions import Session
from ..sessions.imports import Imported, ImportedVectors, add_import
from ..transcoder import Transcoder
from ..transcoder.products import Products
from ..transcoder.strengths import activation
from .reopen import read_transcoder

__all__ = ["ImportResult", "import_file"]

PROMPTS = 4
TOKENS = 16
RANDOM = 4
APART = 1.5  # how much stronger a vector must be at a neighbouring block before its layer is doubted


@dataclass(frozen=True)
class ImportResult:
    """A vector that became a feature.

    Attributes:
        feature: its index in the session.
        name: in the file.
        strength: what the file's own length of it is, in units of R.
        layers: how its layer was read, and what trying the neighbours says.
        advantage: block → KL from the unsteered model there, over that of random vectors of the same length.
        role: `ablate` where the file says that it is to be projected out.
    """

    feature: int
    name: str
    strength: float
    layers: str
    advantage: dict[int, float]
    role: str


def import_file(
    session: Session, path: Path, lm: LanguageModel | None, *, layer: int | None = None
) -> list[ImportResult]:
    """Adds the vectors of a file that enter the session's source block as features.

    Args:
        session: the session; it has a fit.
        path: a `.gguf`, `.safetensors`, `.npz` or `.pt` file.
        lm: the session's model, on which the vectors are tried and described; None leaves that out.
        layer: take the vectors that enter this block instead, and let them enter the session's source block.

    Raises:
        DctError: no such file, no vectors of the model's width, or none for that block.
        SessionBusy: another process is adding a feature.
    """
    path, record = expand(path), session.record
    fit = session.read_fit()
    depth, width, source = record.model.depth, record.model.width, record.slice.source
    found = _torch_vectors(path, depth) if path.suffix in (".pt", ".pth") else read_vectors(path, depth)
    chosen = _for_block(path, found, width, source if layer is None else layer)
    trial = None if lm is None else _Trial(lm, session)
    results = []
    for one in chosen:
        length = float(np.linalg.norm(one.vector.astype(np.float64)))
        v = np.asarray(one.vector.astype(np.float64) / length, np.float32)
        said, u, advantage = one.convention, np.zeros_like(v), {}
        if one.enters is None:
            said += f": taken for block {source}, which the session's features enter"
        elif one.enters != source:
            said += f"; entered at block {source} because that was asked for"
        about = Imported(_name(one.name), _name(path.name), "", said, length / fit.scale)
        if trial is not None:
            advantage = trial.at_neighbours(torch.from_numpy(one.vector))
            said = f"{said}; {_concluded(advantage, source)}"
            about, u = trial.described(v, dataclasses.replace(about, layers=said))
        feature = add_import(session, ImportedVectors(v, u), about)
        results.append(ImportResult(feature, about.name, about.strength, about.layers, advantage, one.role))
    return results


def _for_block(path: Path, found: Sequence[FoundVector], width: int, block: int) -> list[FoundVector]:
    fitting = [one for one in found if one.vector.size == width]
    if not fitting:
        raise DctError(
            f"the vectors of {path.name} have {found[0].vector.size} values, the model's width is {width}",
            "import vectors that were made for this model",
        )
    chosen = [one for one in fitting if one.enters in (None, block)]
    if not chosen:
        there = sorted({one.enters for one in fitting if one.enters is not None})
        raise DctError(
            f"{path.name} has vectors for what enters block {', '.join(map(str, there[:8]))}, not block {block}",
            f"fit a session from --source {there[0]}, or take those all the same with --layer {there[0]}",
        )
    return chosen


def _torch_vectors(path: Path, depth: int) -> list[FoundVector]:
    try:
        if path.stat().st_size > LARGEST:
            raise DctError(f"{path.name} is too large for a file of vectors", "give one of at most 2 GB")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of kinds of pickles, of which none is opened.
            saved = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise DctError(f"{path} cannot be read: {error.strerror or error}", "check the path") from error
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DctError(
            f"{path.name} is not a file of tensors alone, or is damaged: {first[:200]}",
            "save a dictionary of tensors: nothing else is ever unpickled",
        ) from None
    return from_arrays(path, {name: tensor.float().numpy() for name, tensor in _tensors("", saved)}, depth)


def _tensors(name: str, value: Any) -> list[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        return [(name, value.detach())] if value.is_floating_point() and value.layout == torch.strided else []
    if isinstance(value, dict):
        return [pair for key, part in value.items() for pair in _tensors(f"{name}.{key}".strip("."), part)]
    if isinstance(value, list | tuple):
        return [pair for i, part in enumerate(value) for pair in _tensors(f"{name}.{i}".strip("."), part)]
    return []


class _Trial:
    """The model with some of the session's prompts, on which vectors are tried."""

    def __init__(self, lm: LanguageModel, session: Session) -> None:
        prompts = session.record.prompts
        texts = (prompts.validation or prompts.fit)[:PROMPTS]
        self.lm = lm
        self.layers = LayerRange(session.record.slice.source, session.record.slice.target)
        self.prompts = [encode(lm, as_messages(text, prompts.system)) for text in texts]
        self.divergence = Divergence(lm, self.prompts, TOKENS)
        self.delta = SliceDelta(lm, self.prompts, self.layers)
        self.config = read_transcoder(session).config
        self.unit = float(activation(self.config.method, torch.tensor(1.0)))

    def at_neighbours(self, vector: Tensor) -> dict[int, float]:
        """The effect of the vector at the block before the source, at it, and at the one after.

        It is in units of what random vectors of its length do there: earlier blocks move a model further whatever the
        vector.
        """
        source = self.layers.source
        draws = torch.randn(RANDOM, len(vector), generator=torch.Generator().manual_seed(0))
        rows = [vector, *(draws / draws.norm(dim=1, keepdim=True) * vector.norm())]
        found = {}
        for block in range(max(0, source - 1), min(source + 2, self.lm.depth)):
            own, *random = self.divergence.of([[Steering(row, block)] for row in rows])
            found[block] = own / max(sum(random) / RANDOM, 1e-12)
        return found

    def described(self, v: Float32, about: Imported) -> tuple[Imported, Float32]:
        """What a fitted feature's record says, and the output direction: where Δ(R·v) points."""
        direction = torch.from_numpy(v).to(self.delta.device, self.delta.dtype)
        values = Products(self.delta, self.config.row_batch).values(self.config.scale * direction[None])
        change = values[0].float().cpu()
        norm = float(change.norm())
        u = change / norm if norm > 0 else torch.zeros_like(change)
        one = Transcoder(direction.cpu()[:, None], u[:, None], torch.tensor([norm]), self.config)
        (record,) = describe(self.lm, self.delta, one, self.layers.source, self.prompts)
        about = dataclasses.replace(
            about,
            alpha=norm / self.unit,
            norm=_finite(record["norm"]),
            kl=_finite(record["kl"]),
            words=tuple(record["words"]),
        )
        return about, u.numpy()


def _concluded(advantage: dict[int, float], source: int) -> str:
    tried = ", ".join(f"{times:.2g} at block {block}" for block, times in advantage.items())
    tried = f"times random vectors: {tried}"
    best = max(advantage, key=lambda block: advantage[block])
    if best == source:
        return f"tried at neighbouring blocks it is strongest at its own ({tried})"
    if advantage[best] <= APART * advantage[source]:
        return f"tried at neighbouring blocks it is about as strong: its effect does not tell the layer ({tried})"
    return f"tried at neighbouring blocks it is stronger at block {best}: the file may count layers otherwise ({tried})"


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None


def _name(text: str) -> str:
    return text[:200].encode(errors="replace").decode()
