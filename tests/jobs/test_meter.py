"""The journal of a fit where it cannot be written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dct_tui.errors import DctError
from dct_tui.jobs import meter
from dct_tui.jobs.meter import Meter, note
from dct_tui.sessions.progress import Entry, Note, read_progress
from dct_tui.transcoder import Iteration
from tests.fitted import fitted_session


def test_only_iterations_end_a_fit_whose_journal_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meter, "EVERY_S", -1.0)
    session = fitted_session(tmp_path / "one")
    session.progress.path.unlink(missing_ok=True)
    session.progress.path.mkdir()
    one = Meter(session, torch.device("cpu"))
    one.begin("fit", 8)
    one.rows(4)
    one.described(1)
    note(session, stage="paused", iteration=0)
    iteration = Iteration(number=1, objective=1.0, change=1.0, settled=0, rows=8, seconds=1.0)
    with pytest.raises(DctError, match="cannot write"):
        one.finished(iteration, 2)
    session.progress.path.rmdir()
    one.rows(4)
    one.finished(iteration, 2)
    one.end()
    assert [entry.get("stage") for entry in session.progress.read().records] == ["fit", None, "end"]


def test_the_end_tells_what_no_iteration_took_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(meter.time, "monotonic", lambda: clock[0])

    def rest() -> None:
        clock[0] += 100.0

    session = fitted_session(tmp_path / "one")
    session.progress.path.unlink(missing_ok=True)
    one = Meter(session, torch.device("cpu"), rest, expected=12.0)
    clock[0] += 3.0  # the calibration
    one.rest()
    clock[0] += 5.0
    one.finished(Iteration(number=1, objective=1.0, change=1.0, settled=0, rows=8, seconds=5.0), 1)
    clock[0] += 4.0  # the description
    one.end()
    told = [read_progress(record, 1) for record in session.progress.read().records]
    begun, entry, end = told
    assert isinstance(begun, Note) and isinstance(entry, Entry) and isinstance(end, Note)
    assert (begun.expected, entry.seconds, end.besides, end.iteration) == (12.0, 5.0, 7.0, 1)
