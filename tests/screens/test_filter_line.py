"""A filter is written, kept, left and taken away by the same keys wherever there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from dct_tui.screens import features_finding
from dct_tui.screens.widgets.filter_line import FilterLine
from dct_tui.screens.widgets.line_list import LineList
from tests.fitted import fitted_session
from tests.screens import planning
from tests.screens.conftest import MakeSession
from tests.screens.triage_app import features_of, until

ONE, OTHER, ALL = 1, 2, 3


@asynccontextmanager
async def place(
    name: str, home: Path, make_session: MakeSession
) -> AsyncIterator[tuple[Pilot[None], LineList, dict[int, str]]]:
    """A list of three, and the words that leave one or two of them."""
    if name == "features":
        session = fitted_session(home / "sessions" / "one", count=3)
        async with features_of(session, size=(80, 24)) as (pilot, screen):
            yield pilot, screen.listed, {ONE: "word1", OTHER: "!word2"}
        return
    if name == "home":
        for session_name in ("pirate", "swan", "moon"):
            make_session(session_name)
    async with planning.workbench(planning.engine()) as pilot:
        if name == "models":
            await pilot.press("n")
            await until(pilot, lambda: pilot.app.screen.query_one(LineList).row_count() == ALL)
        words = {ONE: "swan", OTHER: "!swan"} if name == "home" else {ONE: "llama", OTHER: "!llama"}
        yield pilot, pilot.app.screen.query_one(LineList), words


@pytest.mark.parametrize("name", ["home", "models", "features"])
async def test_the_keys_of_a_filter(
    name: str, home: Path, make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features_finding, "TYPED_S", 0.001)
    async with place(name, home, make_session) as (pilot, listed, words):

        def rows(count: int) -> Callable[[], bool]:
            return lambda: listed.row_count() == count

        line = pilot.app.screen.query_one(FilterLine)
        await pilot.press("slash", *words[ONE])
        await until(pilot, rows(ONE))
        assert line.has_focus, "the list follows what is typed"
        await pilot.press("escape")
        await until(pilot, rows(ALL))
        assert listed.has_focus and line.value == "", "what was shown before"
        await pilot.press("slash", *words[ONE], "enter")
        assert listed.has_focus and listed.row_count() == ONE and line.visible
        await pilot.press("slash", *words[OTHER])
        await until(pilot, rows(OTHER))
        await pilot.press("escape")
        await until(pilot, rows(ONE))
        assert listed.has_focus and line.value == words[ONE] and line.visible, "the one before holds again"
        await pilot.press("escape")
        await until(pilot, rows(ALL))
        assert listed.has_focus and line.value == ""
        await pilot.press("escape")
        assert listed.has_focus and listed.row_count() == ALL
