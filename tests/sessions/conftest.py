from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from dct_tui.sessions import FitSettings, ModelSpec, PromptSet, Session, SessionRecord, Slice


@pytest.fixture
def record() -> SessionRecord:
    return SessionRecord(
        name="llama-2-5",
        created="2026-01-02T03:04:05.678Z",
        model=ModelSpec(
            spec="org/tiny-llama",
            path="/models/tiny-llama",
            commit="c" * 40,
            config_sha256="d" * 64,
            weights_sha256="e" * 64,
            model_type="llama",
            depth=6,
            width=8,
            dtype="float32",
        ),
        slice=Slice(2, 5),
        prompts=PromptSet.of(["one", "two"], ["three"], system="Be brief."),
        fit=FitSettings(method="exponential", factors=4, iterations=3, orthogonalisation="polar", seed=7),
        versions={"dct-tui": "0.1.0"},
    )


@pytest.fixture
def session(tmp_path: Path, record: SessionRecord) -> Session:
    return Session.create(tmp_path / "sessions" / "one", record)


@pytest.fixture
def with_fit() -> Callable[..., SessionRecord]:
    """A record with other fit settings."""

    def change(record: SessionRecord, **changes: object) -> SessionRecord:
        return dataclasses.replace(record, fit=dataclasses.replace(record.fit, **changes))  # type: ignore[arg-type]

    return change
