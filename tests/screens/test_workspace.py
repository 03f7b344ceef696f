from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dct_tui.errors import DctError
from dct_tui.screens.workspace import Workspace
from dct_tui.sessions import Session
from dct_tui.sessions.rack import RackEntry

MakeSession = Callable[..., Session]


def test_the_rack_is_there_again(make_session: MakeSession) -> None:
    path = make_session().path
    rack = (RackEntry(features=(3,), strength=-0.7), RackEntry(features=(1, 2), mode="ablate output", on=False))
    Workspace(path).rack = rack
    assert Workspace(path).rack == rack


def test_a_feature_is_added_once(make_session: MakeSession) -> None:
    workspace = Workspace(make_session().path)
    workspace.rack = [RackEntry(features=(3,), strength=2.0)]
    workspace.add_to_rack(3, 4)
    assert [str(entry) for entry in workspace.rack] == ["3:+2", "4:+1"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"rack": 1}', '{"rack": [{"features": "x"}, 2]}'])
def test_a_spoilt_rack_is_an_empty_one(make_session: MakeSession, text: str) -> None:
    path = make_session().path
    (path / "rack.json").write_text(text)
    assert Workspace(path).rack == ()


def test_no_session_is_said(home: Path) -> None:
    with pytest.raises(DctError, match="no session"):
        Workspace(home / "nothing")


def test_a_rack_that_cannot_be_kept_is_said_once(make_session: MakeSession) -> None:
    workspace = Workspace(make_session().path)
    (workspace.path / "rack.json").mkdir()
    told: list[DctError] = []
    workspace.on_unsaved = told.append
    workspace.add_to_rack(3)
    workspace.add_to_rack(4)
    assert len(told) == 1 and len(workspace.rack) == 2
