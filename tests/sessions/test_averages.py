"""Averages of features, and what a spoilt journal of them does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dct_tui.errors import DctError, SessionDamaged
from dct_tui.export.selection import session_vectors
from dct_tui.sessions.averages import make_average
from dct_tui.sessions.imports import Imported, ImportedVectors, add_import
from tests.fitted import fitted_session

IMPORTED = '{"name": "a", "file": "x.gguf", "sha256": "", "layers": "", "strength": 1}'


def test_it_has_the_next_index_and_can_be_exported(tmp_path: Path) -> None:
    session = fitted_session(tmp_path / "one")
    before = (session.path / "fit.safetensors").read_bytes()
    assert make_average(session, [1, 3, 3]) == 6
    assert make_average(session, [4, 5]) == 7
    assert session.feature_count == 8
    assert [record["index"] for record in session.read_features()] == list(range(8))
    assert [record["rank"] for record in session.read_features()[6:]] == [7, 8]
    (vector,) = session_vectors(session, [6])
    V = session.read_fit().V
    assert float(vector.vector @ V[:, 1]) == pytest.approx(float(vector.vector @ V[:, 3]), abs=1e-6)
    assert np.linalg.norm(vector.vector) == pytest.approx(1)
    assert (session.path / "fit.safetensors").read_bytes() == before


@pytest.mark.parametrize("members", [[], [2], [2, 2], [0, 6], [-1, 2]])
def test_what_cannot_be_averaged(tmp_path: Path, members: list[int]) -> None:
    session = fitted_session(tmp_path / "one")
    with pytest.raises(DctError):
        make_average(session, members)
    assert session.feature_count == 6


def test_opposite_directions_have_no_mean(tmp_path: Path) -> None:
    V = np.eye(8, 6, dtype=np.float32)
    V[:, 1] = -V[:, 0]
    session = fitted_session(tmp_path / "one", V=V)
    with pytest.raises(DctError, match="the input directions of these features cancel"):
        make_average(session, [0, 1])


def test_imports_whose_output_directions_were_not_measured_have_a_mean(tmp_path: Path) -> None:
    session = fitted_session(tmp_path / "one")
    rows = np.eye(8, dtype=np.float32)[:3]
    for row in rows:
        add_import(session, ImportedVectors(row, np.zeros(8, np.float32)), Imported("a", "x.gguf", "", "", 1.0))
    add_import(session, ImportedVectors(-rows[0], np.zeros(8, np.float32)), Imported("b", "x.gguf", "", "", 1.0))
    assert make_average(session, [6, 7]) == 10
    assert make_average(session, [0, 8]) == 11
    fit = session.read_fit()
    np.testing.assert_allclose(fit.V[:, 10], (rows[0] + rows[1]) / 2**0.5, atol=1e-6)
    assert not fit.U[:, 10].any()
    np.testing.assert_allclose(fit.U[:, 11], fit.U[:, 0], atol=1e-6)
    (vector,) = session_vectors(session, [10])
    assert vector.counterpart is None
    with pytest.raises(DctError, match="the input directions of these features cancel"):
        make_average(session, [6, 9])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"index": 7, "members": [0, 1], "at": ""}', "feature 7 stands where feature 6 is due"),
        (f'{{"index": 7, "imported": {IMPORTED}}}', "feature 7 stands where feature 6 is due"),
        (f'{{"index": 6, "members": [0, 1], "imported": {IMPORTED}}}', "feature 6 is imported, and a mean"),
        ('{"index": 6, "members": [0, 6], "at": ""}', "feature 6 cannot be the mean of"),
        ('{"index": 6, "members": [0], "at": ""}', "feature 6 cannot be the mean of"),
        ('{"index": 6}', "feature 6 cannot be the mean of"),
    ],
)
def test_a_spoilt_one_is_told(tmp_path: Path, line: str, words: str) -> None:
    session = fitted_session(tmp_path / "one")
    session.averages.path.write_text(line + "\n")
    with pytest.raises(SessionDamaged, match=rf"averages.*{words}"):
        session.read_fit()


def test_a_torn_line_is_none(tmp_path: Path) -> None:
    session = fitted_session(tmp_path / "one")
    make_average(session, [0, 1])
    with session.averages.path.open("a") as file:
        file.write('{"index": 7, "mem')
    assert session.read_fit().V.shape[1] == 7
    assert make_average(session, [0, 2]) == 7
