"""Every place in a terminal that is too small for it: nothing ends, and nothing is lost when it grows."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from benchmarks.synthetic import Size
from benchmarks.synthetic import make_session as fitted_session
from dct_tui.screens.app import PLACES, Workbench
from dct_tui.screens.chat_rack import ChatRack


@pytest.mark.parametrize("size", [(20, 5), (40, 10)])
@pytest.mark.parametrize("place", PLACES)
async def test_a_place_opened_and_resized_where_there_is_no_room(home: Path, place: str, size: tuple[int, int]) -> None:
    session = fitted_session(home / "sessions" / "one", Size(factors=6, width=8, sampled=0))
    app = Workbench()
    async with app.run_test(size=size) as pilot:
        await app.open_session(session.path, place)
        await pilot.pause()
        for grown in ((120, 40), (3, 2), size):
            await pilot.resize_terminal(*grown)
            await pilot.pause()
        assert app.current_mode == place


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
@pytest.mark.parametrize("place", PLACES)
async def test_nothing_lies_over_anything_else(home: Path, place: str, size: tuple[int, int]) -> None:
    session = fitted_session(home / "sessions" / "one", Size(factors=6, width=8, sampled=0))
    app = Workbench()
    async with app.run_test(size=size) as pilot:
        await app.open_session(session.path, place)
        await pilot.pause()
        shown = [widget for widget in app.screen.query("*") if widget.display and not widget.children]
        for first, second in combinations(shown, 2):
            assert not first.region.overlaps(second.region), (first, second)


async def test_the_rack_is_a_drawer_where_there_is_no_room_beside(home: Path) -> None:
    session = fitted_session(home / "sessions" / "one", Size(factors=6, width=8, sampled=0))
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await app.open_session(session.path, "chat")
        await pilot.pause()
        assert app.screen.query_one(ChatRack).region.width == 40
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert not app.screen.query_one(ChatRack).display
        await pilot.press("ctrl+l")
        await pilot.pause()
        assert app.screen.query_one(ChatRack).display
