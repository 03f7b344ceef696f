"""The list: what is in view, what is repainted, and texts that would break a layout."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region

from dct_tui.inert import inert
from dct_tui.screens.widgets.line_list import Cell, LineList


class Numbers(LineList):
    """`count` rows; `repainted` holds the regions that were asked to be painted again."""

    def __init__(self, count: int, text: str = "row") -> None:
        super().__init__()
        self.count, self.text = count, text
        self.repainted: list[Region] = []

    def row_count(self) -> int:
        return self.count

    def cells(self, row: int, width: int) -> Sequence[Cell]:
        return [(f"{row}", 6, "dim"), (inert(self.text), 0, "")]

    def header(self, width: int) -> Sequence[Cell]:
        return [("number", 6, ""), ("text", 0, "")]

    def refresh(self, *regions: Region, **options: bool) -> LineList:
        self.repainted += regions
        return super().refresh(*regions, **options)


class Lists(App[None]):
    def __init__(self, listed: LineList) -> None:
        super().__init__()
        self.listed = listed
        self.moves: list[int | None] = []
        self.choices: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.listed

    def on_mount(self) -> None:
        self.listed.focus()

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        self.moves.append(event.row)

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        self.choices.append(event.row)


def lines(listed: LineList) -> list[str]:
    return ["".join(segment.text for segment in listed.render_line(y)) for y in range(listed.size.height)]


async def test_keys_move_the_cursor_and_it_stays_in_view() -> None:
    app = Lists(Numbers(100))
    async with app.run_test(size=(40, 11)) as pilot:
        for keys, expected in (("j", 1), ("down", 2), ("k", 1), ("G", 99), ("g", 0), ("pagedown", 10), ("ctrl+d", 15)):
            await pilot.press(keys)
            assert app.listed.cursor == expected, keys
            assert expected in app.listed.rows_in_view
            (marked,) = [line for line in lines(app.listed) if line.startswith("›")]
            assert marked.split()[0] == f"›{expected}"
        await pilot.press("enter")
        assert app.choices == [15] and app.moves[-1] == 15


async def test_at_the_ends_the_cursor_stays_and_nothing_is_said() -> None:
    app = Lists(Numbers(3))
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.press("k", "up", "g")
        assert app.moves == []
        await pilot.press("G", "j", "pagedown")
        assert app.moves == [2]


async def test_a_move_repaints_two_rows_as_far_as_the_cursor_reaches() -> None:
    app = Lists(Numbers(100))
    app.listed.highlight = 12
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.pause()
        app.listed.repainted.clear()
        await pilot.press("j")
        assert app.listed.repainted == [Region(0, 1, 12, 1), Region(0, 2, 12, 1)]


async def test_past_the_edge_the_view_jumps_by_half_a_page() -> None:
    app = Lists(Numbers(100))
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.press(*"j" * 10)
        first = app.listed.rows_in_view.start
        assert first >= 5
        await pilot.press("j", "j", "j")
        assert app.listed.rows_in_view.start == first
        assert lines(app.listed)[0].startswith(" number"), "the header stays"


async def test_rows_that_go_take_the_cursor_along() -> None:
    listed = Numbers(100)
    app = Lists(listed)
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.press("G")
        listed.count = 5
        listed.rows_changed()
        assert listed.cursor == 4 and 4 in listed.rows_in_view
        listed.count = 0
        listed.rows_changed()
        await pilot.press("j", "enter", "G")
        assert listed.cursor == 0 and app.choices == []


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[31mred\x1b]0;title\x07",
        "[b]bold[/b] [@click=app.quit]x[/]",
        "\u202eback",
        "日本語" * 40,
        "e\u0301" * 99,
        "x" * 10_000,
    ],
)
async def test_hostile_texts_take_their_line_and_no_more(text: str) -> None:
    app = Lists(Numbers(3, text))
    async with app.run_test(size=(40, 11)):
        for y in range(11):
            assert app.listed.render_line(y).cell_length == 40
        shown = "".join(lines(app.listed))
        assert "\x1b" not in shown and "\x07" not in shown and "\u202e" not in shown


async def test_a_click_moves_and_two_choose() -> None:
    app = Lists(Numbers(100))
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.click(app.listed, offset=(5, 4))
        assert app.listed.cursor == 3 and app.choices == []
        await pilot.click(app.listed, offset=(5, 6), times=2)
        assert app.choices == [5]
        await pilot.click(app.listed, offset=(5, 0))
        assert app.listed.cursor == 5, "the header is no row"
