"""Session folders that no model had to be fitted for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from dct_tui.sessions import FitSettings, ModelSpec, PromptSet, Session, SessionRecord, Slice

RECORD = SessionRecord(
    name="one",
    created="2026-01-02T03:04:05.678Z",
    model=ModelSpec(
        spec="m",
        path="/m",
        config_sha256="d" * 64,
        weights_sha256="e" * 64,
        model_type="llama",
        depth=6,
        width=8,
        dtype="float32",
    ),
    slice=Slice(2, 5),
    prompts=PromptSet.of(["one", "two"]),
    fit=FitSettings(method="exponential", factors=4, iterations=3, orthogonalisation="polar", seed=7),
)

MakeSession = Callable[..., Session]


@pytest.fixture
def make_session(home: Path) -> MakeSession:
    """`make_session(name, **changes of the record)`: a session among the others, not fitted yet."""

    def make(name: str = "one", **changes: object) -> Session:
        return Session.create(home / "sessions" / name, dataclasses.replace(RECORD, **changes))  # type: ignore[arg-type]

    return make
