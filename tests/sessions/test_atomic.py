from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dct_tui.errors import DctError
from dct_tui.sessions.atomic import remove_leftovers, write_atomic

WRITER = """
import sys
from pathlib import Path
from dct_tui.sessions.atomic import write_atomic
path, size, n = Path(sys.argv[1]), 400_000, 0
while True:
    write_atomic(path, bytes([n % 251]) * (size + n % 7))
    n += 1
    print(n, flush=True)
"""


def test_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    write_atomic(path, b"old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path = tmp_path / "fit.safetensors"
    write_atomic(path, b"old")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(DctError, match=r"no room to write fit\.safetensors: 2\.0 MB needed, .* free"):
        write_atomic(path, b"x" * 2_000_000)
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["fit.safetensors"]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, bytes(data)[:3]))
    write_atomic(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DctError, match=r"cannot write .*nowhere/a: No such file"):
        write_atomic(tmp_path / "nowhere" / "a", b"")


def test_killed_while_writing_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    for rounds in (1, 4, 9):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        with writer.stdout:
            for _ in range(rounds):
                writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)
            acknowledged = max([rounds, *map(int, writer.stdout.read().split())])
        writer.wait()
        data = path.read_bytes()
        found = len(data) - 400_000
        assert data == data[:1] * len(data)
        # The file is that of the last acknowledged write, or of the one that was under way.
        assert found in ((acknowledged - 1) % 7, acknowledged % 7)


def test_leftovers_of_killed_writers_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".fit.safetensors.0a1b2c3d.tmp").write_bytes(b"half")
    (tmp_path / "fit.safetensors").write_bytes(b"whole")
    (tmp_path / ".triage.json.0a1b2c3d.tmp").write_bytes(b"being written")
    remove_leftovers(tmp_path / "fit.safetensors")
    assert {path.name for path in tmp_path.iterdir()} == {"fit.safetensors", ".triage.json.0a1b2c3d.tmp"}


def test_the_first_error_is_the_one_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The half-written file may not be removable either: that says nothing to the user."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "fsync", refused)
    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(DctError, match=r"cannot write .*Read-only"):
        write_atomic(tmp_path / "a", b"data")
