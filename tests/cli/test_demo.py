"""The demonstration, whole: what the README promises of the built-in model."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from dct_tui.cli.demo import demo
from dct_tui.sessions import Session


def test_hidden_behaviours_are_found_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo(seed=0, session=tmp_path / "demo", json=True)
    figures = orjson.loads(capsys.readouterr().out)
    assert figures["behaviours_found"] >= 4
    assert figures["behaviours_right"] >= 3
    assert figures["behaviours_random"] <= 1
    found = [finding for finding in figures["findings"] if finding["found"]]
    assert len({finding["behaviour"] for finding in found}) == len(found) == figures["behaviours_found"]
    assert all(finding["test"]["form"] >= 0.5 and finding["test"]["prompts"] > 0 for finding in found)

    session = Session.open(tmp_path / "demo")
    assert session.record.status == "fitted" and session.record.slice.source >= 2
    assert len(session.read_features()) == figures["factors"]
