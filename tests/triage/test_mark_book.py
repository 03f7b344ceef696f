"""Marks: on disk before they are shown, one writer at a time, undone across restarts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dct_tui.errors import DctError, SessionBusy
from dct_tui.sessions import Mark, Session
from dct_tui.triage.mark_book import MarkBook
from dct_tui.triage.pace import left_words, seconds_each
from tests.fitted import fitted_session


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return fitted_session(tmp_path / "one")


def test_marks_are_there_after_a_restart_and_can_be_undone(session: Session) -> None:
    book = MarkBook(session)
    assert book.mark("star", [1, 2, 1]) == {1, 2}
    assert book.mark("tag", [2], "  very   rude ") == {2}
    assert book.mark("reject", [2]) == {2}
    book.close()
    again = MarkBook(session)
    assert again.sync() == {1, 2}
    assert again.log.of(2).verdict == "rejected" and again.log.of(2).tags == {"very rude"}
    last, touched = again.undo()
    assert last is not None and last.kind == "reject" and touched == {2}
    assert again.log.of(2).verdict == "starred"
    assert again.undo()[0] == again.log.redoable
    assert again.log.of(2).tags == frozenset()
    assert again.redo()[1] == {2} and again.log.of(2).tags == {"very rude"}
    again.close()
    third = MarkBook(session)
    third.sync()
    assert third.log.state == again.log.state


def test_nothing_to_undo_writes_nothing(session: Session) -> None:
    book = MarkBook(session)
    assert book.undo() == (None, set()) and book.redo() == (None, set())
    assert not session.marks.path.exists()


@pytest.mark.parametrize(
    ("kind", "value"), [("tag", ""), ("tag", " \n "), ("tag", "x" * 41), ("note", "x" * 2001), ("star", "x")]
)
def test_what_cannot_be_is_not_written(session: Session, kind: str, value: str) -> None:
    with pytest.raises(DctError):
        MarkBook(session).mark(kind, [1], value)  # type: ignore[arg-type]
    assert not session.marks.path.exists()


def test_no_features_is_an_error(session: Session) -> None:
    with pytest.raises(DctError, match="no feature"):
        MarkBook(session).mark("star", [])


def test_the_second_reads_along_and_takes_over(session: Session) -> None:
    first, second = MarkBook(session), MarkBook(session)
    assert first.take_pen() and not second.take_pen()
    assert second.writer is not None and first.writer is None
    first.mark("star", [3])
    assert second.sync() == {3} and second.log.of(3).verdict == "starred"
    with pytest.raises(SessionBusy, match="process"):
        second.mark("reject", [3])
    assert second.log.of(3).verdict == "starred"
    first.close()
    assert second.mark("reject", [3]) == {3}
    assert first.sync() == {3} and first.log.of(3).verdict == "rejected"


def test_marks_of_a_killed_process_stay_and_its_pen_is_free(session: Session) -> None:
    code = (
        "import os, sys, pathlib\n"
        "from dct_tui.sessions import Session\n"
        "from dct_tui.triage.mark_book import MarkBook\n"
        "MarkBook(Session.open(pathlib.Path(sys.argv[1]))).mark('star', [4])\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(session.path)], check=False).returncode == -9
    with session.marks.path.open("ab") as file:
        file.write(b'{"kind": "rej')
    book = MarkBook(session)
    assert book.sync() == {4}
    assert book.mark("star", [5]) == {5}, "what was torn is cut off"
    assert book.log.state.starred() == [4, 5]


def test_a_full_disk_marks_nothing(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    book = MarkBook(session)
    book.mark("star", [1])

    def full(*_: object, **__: object) -> None:
        raise DctError("no room")

    monkeypatch.setattr("dct_tui.sessions.journal.Journal.append", full)
    with pytest.raises(DctError, match="no room"):
        book.mark("star", [2])
    assert book.log.state.starred() == [1]


def test_the_times_of_judgements_are_kept(session: Session) -> None:
    for mark in (
        Mark("star", (1,), at="2026-01-01T00:00:00.000Z"),
        Mark("note", (1,), "x", at="2026-01-01T00:00:03.000Z"),
        Mark("reject", (2,), at="2026-01-01T00:00:04.500Z"),
        Mark("reject", (2,), at="yesterday"),
    ):
        session.marks.append(mark.encode())
    book = MarkBook(session)
    book.sync()
    first, second = book.judged_at
    assert second - first == 4.5


def test_pace() -> None:
    assert seconds_each([0, 4, 8]) is None, "two gaps say little"
    assert seconds_each([0, 4, 8, 12]) == 4
    assert seconds_each([0, 4, 8, 1000, 1004]) == 4, "a pause does not count"
    assert seconds_each([*range(0, 1000, 50), *range(1000, 1041)]) == 1, "the last forty count"
    assert left_words(212, [0, 4, 8, 12]) == "212 left, about 14 min"
    assert left_words(3, [0, 4, 8, 12]) == "3 left, about 15 s"
    assert left_words(4000, [0, 4, 8, 12]) == "4000 left, about 4 h 30 min"
    assert left_words(5, []) == "5 left"
    assert left_words(0, [0, 4, 8, 12]) == "all judged"
