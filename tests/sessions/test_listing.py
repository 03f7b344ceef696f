from __future__ import annotations

import os
from pathlib import Path

import pytest

from dct_tui.errors import DctError
from dct_tui.paths import data_root, sessions_root
from dct_tui.sessions import Session, SessionRecord, find_session, list_sessions, new_session_path
from dct_tui.sessions.listing import session_path


def test_lists_damaged_and_newer_ones_with_the_reason(tmp_path: Path, record: SessionRecord) -> None:
    good = Session.create(tmp_path / "good", record)
    with good.writing():
        good.progress.append({"iteration": 1})
        good.progress.append({"iteration": 2})
    for name, data in (("damaged", b"{"), ("newer", b'{"schema": 7}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "session.json").write_bytes(data)
    (tmp_path / "no-session").mkdir()
    (tmp_path / "file").touch()
    found = {summary.name: summary for summary in list_sessions(tmp_path)}
    assert found.keys() == {"good", "damaged", "newer"}
    assert found["good"].record == record
    assert (found["good"].iteration, found["good"].writer, found["good"].problem) == (2, None, "")
    assert found["damaged"].record is None
    assert "not JSON" in found["damaged"].problem
    assert "newer dct-tui" in found["newer"].problem


def test_a_folder_without_rights_is_listed_with_the_reason(
    tmp_path: Path, record: SessionRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the system answers: whoever runs the tests may have all rights."""
    locked = Session.create(tmp_path / "locked", record).path

    def refuse(path: Path, *_: object) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refuse)
    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    (found,) = list_sessions(tmp_path)
    assert found.path == locked and found.record is None
    assert "Permission denied" in found.problem and "rights" in found.problem


def test_last_used_first_and_extra_folders(tmp_path: Path, record: SessionRecord) -> None:
    for age, name in enumerate(("root/new", "root/old", "elsewhere")):
        session = Session.create(tmp_path / name, record)
        os.utime(session.path / "session.json", (1000 - age, 1000 - age))
    names = [s.name for s in list_sessions(tmp_path / "root", [tmp_path / "elsewhere", tmp_path / "root" / "new"])]
    assert names == ["new", "old", "elsewhere"]


def test_a_running_fit_is_marked(tmp_path: Path, record: SessionRecord) -> None:
    session = Session.create(tmp_path / "one", record)
    with session.writing():
        writer = list_sessions(tmp_path)[0].writer
    assert writer is not None
    assert writer.pid == os.getpid()


def test_no_root_is_no_session(tmp_path: Path) -> None:
    assert list_sessions(tmp_path / "nowhere") == []


@pytest.mark.parametrize("name", ["../x", "..", ".", "", "/etc", "a/b", ".git", "-rf", "a\0", "a\nb", "x" * 129, "~"])
def test_a_name_does_not_leave_the_root(tmp_path: Path, name: str) -> None:
    with pytest.raises(DctError, match="no name for a session"):
        session_path(name, tmp_path)


def test_find_by_name_or_path(tmp_path: Path, record: SessionRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    named = Session.create(tmp_path / "root" / "named", record).path
    here = Session.create(tmp_path / "cwd" / "here", record).path
    monkeypatch.chdir(tmp_path / "cwd")
    root = tmp_path / "root"
    assert find_session("named", root) == named
    assert find_session("here", root) == here
    assert find_session(str(here), root) == here
    assert find_session("../root/named", root).samefile(named)
    for text in ("other", "../other", "", ".", ".."):
        with pytest.raises(DctError, match="session"):
            find_session(text, root)
    with pytest.raises(DctError, match="can be no path"):
        find_session("a\0b", root)


def test_new_names_are_not_taken(tmp_path: Path) -> None:
    first = new_session_path("Org/Model-1.5B Chat/", 4, 14, "exponential", tmp_path)
    assert first.name.startswith("Model-1.5B-Chat-4-14-exponential-2")
    assert first.name.endswith("-1")
    first.mkdir()
    assert new_session_path("Org/Model-1.5B Chat", 4, 14, "exponential", tmp_path).name == first.name[:-1] + "2"
    taken = [tmp_path / (first.name[:-1] + "2")]
    third = new_session_path("Org/Model-1.5B Chat", 4, 14, "exponential", tmp_path, taken)
    assert third.name == first.name[:-1] + "3"
    for odd in ("..", "/", "../../etc/passwd", "-x", "漢字", "a" * 500):
        assert new_session_path(odd, 1, 2, "linear", tmp_path).parent == tmp_path


def test_the_data_folder_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DCT_TUI_HOME", str(tmp_path))
    assert sessions_root() == tmp_path / "sessions"
    monkeypatch.delenv("DCT_TUI_HOME")
    assert data_root().name == "dct-tui"
