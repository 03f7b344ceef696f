"""The whole way through the screens, against a real engine and the built-in model."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from textual.pilot import Pilot

from dct_tui.engine.registry import list_engines
from dct_tui.screens.app import Workbench
from dct_tui.screens.chat import ChatScreen
from dct_tui.screens.fit import FitScreen
from dct_tui.screens.layers import LayersScreen
from dct_tui.screens.widgets.settings_form import SettingsForm
from dct_tui.sessions import Session, replay

PATIENCE_S = 240


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The data folder; the engines that were started for it are ended with the test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name, value in {"TMPDIR": tmp_path, "DCT_TUI_HOME": tmp_path / "home", "OMP_NUM_THREADS": 1}.items():
        monkeypatch.setenv(name, str(value))
    yield tmp_path / "home"
    for info in list_engines():
        with suppress(ProcessLookupError):
            os.kill(info.pid, signal.SIGKILL)


async def until(pilot: Pilot[None], holds: Callable[[], object], what: str) -> None:
    """Waits for what the engine does."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            assert pilot.app.is_running, what
            await pilot.pause(0.05)


async def typed(pilot: Pilot[None], name: str, value: int) -> None:
    """Types a value into a setting of the fit."""
    form = pilot.app.screen.query_one(SettingsForm)
    form.go_to_setting(name)
    await pilot.press("enter", "ctrl+u", *str(value), "enter")
    await pilot.pause()


async def test_from_nothing_to_vectors_in_files(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, LayersScreen), "the settings of the fit")
        await typed(pilot, "factors", 12)
        await typed(pilot, "iterations", 2)
        await pilot.press("ctrl+g")
        await until(pilot, lambda: isinstance(app.screen, FitScreen), "the fit's screen")
        fit = app.screen
        assert isinstance(fit, FitScreen)
        await until(pilot, lambda: fit.view is not None and fit.view.complete, "the end of the fit")
        (path,) = (home / "sessions").iterdir()
        session = Session.open(path)

        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "features", "the features")
        await pilot.press("s", "s", "s", "t")
        await pilot.pause()
        await pilot.press(*"odd", "enter")
        await until(pilot, lambda: any(mark.kind == "tag" for mark in session.read_marks()[0]), "the tag")
        starred = replay(session.read_marks()[0]).starred()
        assert len(starred) == 3

        await pilot.press("g", "a", "j", "a")
        await pilot.pause()
        assert len(app.opened().rack) == 2 and all(entry.on for entry in app.opened().rack)
        await pilot.press("4")
        await pilot.pause()
        await pilot.press(*"where does the swan live?", "enter")

        def said() -> list[dict[str, object]]:
            events = [event for name in session.chat_names() for event in session.chat(name).read().records]
            return [event for event in events if event.get("role") == "assistant"]

        await until(pilot, said, "the reply")
        rack = said()[0]["rack"]
        assert isinstance(rack, list) and [entry["features"] for entry in rack] == [
            list(entry.features) for entry in app.opened().rack
        ]

        chat = app.screen
        assert isinstance(chat, ChatScreen)
        await until(pilot, lambda: not chat.busy, "the end of the reply")
        await pilot.press("escape", "5")
        await until(pilot, lambda: app.current_mode == "export", "the export")
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: list(session.exports.rglob("*.safetensors")), "the file")

    (file,) = session.exports.rglob("*.safetensors")
    assert np.array_equal(load_file(file)["V"], session.read_fit().V[:, starred])
