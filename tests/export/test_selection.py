from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dct_tui.errors import DctError
from dct_tui.export import session_context, session_vectors
from dct_tui.sessions import FitSettings, FitTensors, ModelSpec, PromptSet, Session, SessionRecord, Slice

D, M = 8, 3


@pytest.fixture
def session(tmp_path: Path) -> Session:
    record = SessionRecord(
        name="one",
        created="2026-01-01T00:00:00.000Z",
        model=ModelSpec(
            spec="org/tiny",
            path="/m",
            config_sha256="d" * 64,
            weights_sha256="e" * 64,
            model_type="llama",
            depth=6,
            width=D,
            dtype="bfloat16",
        ),
        slice=Slice(2, 5),
        prompts=PromptSet.of(["one"]),
        fit=FitSettings(method="linear", factors=M, iterations=1, orthogonalisation="qr", seed=3),
    )
    session = Session.create(tmp_path / "one", record)
    U, V = np.random.default_rng(0).standard_normal((2, D, M)).astype(np.float32)
    with session.writing():
        session.write_fit(FitTensors(U, V, np.ones(M, np.float32), 2.5, 1, 2, 5))
    return session


def test_features_become_vectors(session: Session) -> None:
    fit = session.read_fit()
    vectors = session_vectors(session, [2, 0], strength=-1.5)
    assert [vector.feature for vector in vectors] == [2, 0]
    assert [vector.name for vector in vectors] == ["feature 2", "feature 0"]
    assert {(vector.source, vector.scale, vector.role) for vector in vectors} == {(2, 2.5, "add")}
    np.testing.assert_allclose(vectors[0].steering, -1.5 * 2.5 * fit.V[:, 2], rtol=1e-6)
    np.testing.assert_array_equal(vectors[0].counterpart, fit.U[:, 2])


def test_an_output_direction_enters_at_the_target(session: Session) -> None:
    (vector,) = session_vectors(session, [1], role="ablate", direction="output")
    np.testing.assert_array_equal(vector.vector, session.read_fit().U[:, 1])
    assert (vector.source, vector.role, vector.name) == (5, "ablate", "feature 1 output")


def test_context(session: Session) -> None:
    context = session_context(session)
    assert (context.name, context.model, context.depth, context.source, context.target) == ("one", "org/tiny", 6, 2, 5)
    assert context.prompts_sha256["fit"] == session.record.prompts.fit_sha256


@pytest.mark.parametrize("feature", [-1, M])
def test_no_such_feature(session: Session, feature: int) -> None:
    with pytest.raises(DctError, match=f"no feature {feature}; this session has features 0 to 2"):
        session_vectors(session, [feature])
