"""Whole sessions: renamed, duplicated, thrown away and brought back, remembered."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from dct_tui.errors import DctError, SessionBusy
from dct_tui.sessions import Session, list_sessions, manage
from dct_tui.sessions.manage import (
    duplicate_session,
    list_trash,
    outside_sessions,
    remember_session,
    rename_session,
    restore_session,
    trash_session,
)
from tests.fitted import fitted_session


@pytest.fixture
def session(home: Path) -> Session:
    return fitted_session(home / "sessions" / "one")


def test_rename(session: Session) -> None:
    other = rename_session(session.path, "two")
    assert other == session.path.with_name("two") and not session.path.exists()
    assert Session.open(other).name == "two" and Session.open(other).has_fit
    assert rename_session(other, "two") == other
    for name in ("", "../x", ".hidden", "a/b"):
        with pytest.raises(DctError, match="no name"):
            rename_session(other, name)
    fitted_session(other.with_name("three"))
    with pytest.raises(DctError, match="there already"):
        rename_session(other, "three")
    assert Session.open(other).has_fit


@pytest.mark.parametrize("job", ["fit", "samples", "chats", "marks"])
def test_nothing_is_moved_while_somebody_writes(session: Session, job: Any) -> None:
    with session.writing(job):
        for move in (lambda: rename_session(session.path, "two"), lambda: trash_session(session.path)):
            with pytest.raises(SessionBusy, match=f"the {job} of session one is being written"):
                move()
    assert session.has_fit and list_trash() == []
    assert not (session.path / "trashed.json").exists()
    trash_session(session.path)


def test_a_duplicate_has_the_settings_and_nothing_else(session: Session) -> None:
    session.marks.append({"kind": "star", "features": [1]})
    copy = duplicate_session(session.path)
    assert copy.path == session.path.with_name("one.2") and copy.record.status == "created"
    assert copy.record.differences(session.record) == [] and copy.record.name == "one.2"
    assert not copy.has_fit and copy.read_marks() == ([], [])
    assert copy.record.created != session.record.created
    assert duplicate_session(session.path, "mine").name == "mine"
    with pytest.raises(DctError, match="there already"):
        duplicate_session(session.path, "mine")


def test_trash_and_back(session: Session, home: Path) -> None:
    session.marks.append({"kind": "star", "features": [1]})
    where = trash_session(session.path)
    assert where.parent == home / "trash" and list_sessions() == []
    (thrown,) = list_trash()
    assert (thrown.path, thrown.origin) == (where, session.path)
    assert restore_session(thrown) == session.path
    assert session.read_marks()[0][0].features == (1,) and list_trash() == []
    assert not (session.path / "trashed.json").exists()
    with pytest.raises(DctError, match="no session"):
        restore_session(thrown)


def test_the_trash_overwrites_nothing_and_neither_does_what_comes_back(session: Session, home: Path) -> None:
    first = trash_session(session.path)
    second = trash_session(fitted_session(session.path, count=5).path)
    assert first != second and {one.path for one in list_trash()} == {first, second}
    again = fitted_session(session.path, count=4)
    newest = list_trash()[0]
    back = restore_session(newest)
    assert back == session.path.with_name("one.2") and again.record.fit.factors == 4
    assert Session.open(back).record.fit.factors == 5


def test_a_damaged_session_can_be_thrown_away(session: Session) -> None:
    (session.path / "session.json").write_text("{")
    assert trash_session(session.path).exists()


def test_what_is_no_session_is_not_thrown_away(home: Path) -> None:
    folder = home / "photos"
    folder.mkdir(parents=True)
    with pytest.raises(DctError, match="no session"):
        trash_session(folder)
    assert folder.is_dir()


def test_to_another_file_system(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    rename, fsync, refused, synced = Path.rename, os.fsync, [], set()

    def across(path: Path, target: Path) -> Path:
        if path == session.path:
            refused.append(path)
            raise OSError(errno.EXDEV, "another device")
        return rename(path, target)

    def sync(handle: int) -> None:
        synced.add(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(Path, "rename", across)
    monkeypatch.setattr(os, "fsync", sync)
    where = trash_session(session.path)
    # All of it is on the other disk before it goes from here.
    assert {path.stat().st_ino for path in (where, *where.rglob("*"))} <= synced
    assert refused and Session.open(where).has_fit and not session.path.exists()
    assert [path.name for path in where.parent.iterdir()] == ["one"]


def test_a_copy_that_breaks_off_loses_nothing(session: Session, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    def no(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "another device")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "rename", no)
    monkeypatch.setattr("shutil.copytree", full)
    with pytest.raises(DctError, match="no room"):
        trash_session(session.path)
    assert session.has_fit and list_trash() == [] and not (session.path / "trashed.json").exists()


def test_sessions_elsewhere_are_remembered(session: Session, tmp_path: Path) -> None:
    one, two = (fitted_session(tmp_path / "runs" / name).path for name in ("one", "two"))
    for path in (session.path, one, two, one):
        remember_session(path)
    assert outside_sessions() == [one, two], "those in the data folder are found anyway"
    moved = rename_session(two, "three")
    assert outside_sessions() == [moved, one]
    (thrown,) = [trash_session(one)] and list_trash()
    assert outside_sessions() == [moved]
    assert restore_session(thrown) == one and outside_sessions() == [one, moved]
    assert [summary.path for summary in list_sessions(extra=outside_sessions())].count(one) == 1


def test_two_that_remember_at_once_lose_nothing(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = (fitted_session(tmp_path / "runs" / name).path for name in ("one", "two"))
    write, writing, go_on = manage.write_atomic, threading.Event(), threading.Event()

    def slow(path: Path, data: bytes) -> None:
        if not writing.is_set():
            writing.set()
            assert go_on.wait(60)
        write(path, data)

    monkeypatch.setattr(manage, "write_atomic", slow)
    threads = [threading.Thread(target=remember_session, args=(path,)) for path in (one, two)]
    threads[0].start()
    assert writing.wait(60)
    threads[1].start()
    threads[1].join(0.1)  # It would be done by now, if it did not wait for the other.
    go_on.set()
    for thread in threads:
        thread.join()
    assert outside_sessions() == [two, one]


@pytest.mark.parametrize("text", ["", "[]", '{"sessions": [3]}'])
def test_a_spoilt_memory_is_an_empty_one(home: Path, text: str) -> None:
    home.mkdir()
    (home / "recent.json").write_text(text)
    assert outside_sessions() == []
