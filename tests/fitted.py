"""Sessions with features and samples that no model had to be fitted for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from dct_tui.sessions import FitSettings, FitTensors, ModelSpec, PromptSet, Sample, Session, SessionRecord, Slice

WIDTH = 8
SETTINGS = {"max_new_tokens": 64, "temperature": 0.0, "top_p": 1.0, "seed": 0}
PROMPTS = ("where is the swan", "who made the moon")


def sample(
    feature: int | None,
    text: str,
    prompt: str = PROMPTS[0],
    strength: float = 1.0,
    *,
    ended: bool = True,
    tokens: int = 64,
) -> Sample:
    """A sample of a feature, or (None) the unsteered text."""
    return Sample(
        feature=feature,
        strength=0.0 if feature is None else strength,
        prompt=prompt,
        prompt_index=PROMPTS.index(prompt),
        split="validation",
        text=text,
        tokens=3,
        ended=ended,
        settings={**SETTINGS, "max_new_tokens": tokens},
    )


def add_samples(session: Session, samples: Sequence[Sample]) -> None:
    """Appends samples as a sampler does, at once."""
    with session.samples.path.open("ab") as file:
        file.write(b"".join(orjson.dumps(one.encode()) + b"\n" for one in samples))


def fitted_session(
    path: Path, count: int = 6, samples: Sequence[Sample] = (), V: NDArray[np.float32] | None = None, **record: Any
) -> Session:
    """A fitted session of the model `m`; `feature_record` says what is known of its features, `record` what else."""
    session = Session.create(path, _record(path.name, count))
    rng = np.random.default_rng(0)
    U = rng.normal(size=(WIDTH, count)).astype(np.float32)
    V = rng.normal(size=(WIDTH, count)).astype(np.float32) if V is None else V
    U, V = U / np.linalg.norm(U, axis=0), V / np.linalg.norm(V, axis=0)
    with session.writing():
        session.write_fit(FitTensors(U, V, np.arange(count, 0, -1).astype(np.float32), 2.0, 3, 2, 5))
        session.write_features([{**feature_record(index, count), **record} for index in range(count)])
        session.update_record(status="fitted")
    add_samples(session, samples)
    return session


def feature_record(index: int, count: int) -> dict[str, Any]:
    """The record of a feature as `features.json` has it."""
    return {
        "index": index,
        "rank": index + 1,
        "alpha": float(count - index),
        "norm": 1.0,
        "kl": float(index),
        "words": [f"word{index}", "Shared"],
        "neighbours": [],
    }


def _record(name: str, count: int) -> SessionRecord:
    return SessionRecord(
        name=name,
        created="2026-01-02T03:04:05.678Z",
        model=ModelSpec(
            spec="m",
            path="/m",
            config_sha256="d" * 64,
            weights_sha256="e" * 64,
            model_type="llama",
            depth=6,
            width=WIDTH,
            dtype="float32",
        ),
        slice=Slice(2, 5),
        prompts=PromptSet.of(["one", "two"], PROMPTS),
        fit=FitSettings(method="exponential", factors=count, iterations=3, orthogonalisation="polar", seed=7),
    )
