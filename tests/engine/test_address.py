"""Where engines are found, and what is refused there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from dct_tui.engine import address
from dct_tui.engine.address import LONGEST, address_of, engines_folder
from dct_tui.errors import DctError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the folder of engines is to be; it is not there yet."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"dct-tui-{os.getuid()}"


def test_the_folder_is_the_users_alone_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        assert engines_folder() == folder
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert engines_folder() == folder
    assert address_of(12).socket == folder / "engine-12.sock"


def test_a_folder_that_others_can_write_is_refused(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o770)
    with pytest.raises(DctError, match="open to other users; run `chmod 700"):
        engines_folder()


def test_a_link_is_refused_wherever_it_leads(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DctError, match="is not a folder"):
        engines_folder()


def test_another_users_folder_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engines_folder()
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    folder.rename(folder.with_name(f"dct-tui-{os.getuid()}"))
    with pytest.raises(DctError, match="belongs to another user"):
        engines_folder()


def test_a_file_in_its_place_is_refused(folder: Path) -> None:
    folder.touch(0o600)
    with pytest.raises(DctError, match="is not a folder"):
        engines_folder()


def test_a_long_name_gives_way_to_a_short_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = tmp_path / "t"
    short.mkdir()
    monkeypatch.setattr(address, "FALLBACK", short)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("long" * 30)))
    socket = address_of(4194304).socket
    assert socket.parent.parent == short
    assert len(os.fsencode(socket)) <= LONGEST
