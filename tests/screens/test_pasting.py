"""What is pasted into boxes and lines to type in, by the terminal or from what was copied here: shown inert."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from dct_tui.screens.widgets.input_line import InputLine
from dct_tui.screens.widgets.message_box import TALLEST, MessageBox

ODD = "a\x1b[31mred\x1b]0;t\x07 \x00\x9b5A\u202eab\u200b日本\u0301 [bold]x[/]"
INERT = "a\ufffd[31mred\ufffd]0;t\ufffd \ufffd\ufffd5A\ufffdab\ufffd日本\u0301 [bold]x[/]"
LINES = f"{ODD}\r\nsecond\rthird\nfourth"


class Boxes(App[None]):
    def compose(self) -> ComposeResult:
        yield MessageBox()
        yield InputLine()


async def put(pilot: Pilot[None], way: str, text: str) -> None:
    if way == "paste":
        pilot.app.post_message(events.Paste(text))
    else:
        pilot.app.copy_to_clipboard(text)
        await pilot.press("ctrl+v")
    await pilot.pause()


@pytest.mark.parametrize("way", ["paste", "ctrl+v"])
async def test_what_is_pasted_is_inert(way: str) -> None:
    app = Boxes()
    async with app.run_test(size=(60, 20)) as pilot:
        box, line = app.query_one(MessageBox), app.query_one(InputLine)
        box.focus()
        await put(pilot, way, LINES)
        assert box.text == f"{INERT}\nsecond\nthird\nfourth"
        assert [box.render_line(y).cell_length for y in range(4)] == [box.size.width] * 4
        await pilot.press("x", "ctrl+z", "ctrl+z")
        assert box.text == ""
        line.focus()
        await put(pilot, way, LINES)
        assert line.value == INERT and line.cursor_position == len(INERT)
        assert "\x1b" not in line.render_line(0).text


@pytest.mark.parametrize("way", ["paste", "ctrl+v"])
@pytest.mark.parametrize(
    "text", ["word " * 200_000, "x" * 1_000_000, "many words\r" * 90_000], ids=["words", "x", "lines"]
)
async def test_a_megabyte_breaks_no_layout(way: str, text: str) -> None:
    app = Boxes()
    async with app.run_test(size=(60, 20)) as pilot:
        box, line = app.query_one(MessageBox), app.query_one(InputLine)
        box.focus()
        await put(pilot, "paste", text)
        assert len(box.text) == len(text) and box.size.height == TALLEST
        assert line.region.bottom <= 20
        line.focus()
        await put(pilot, "paste", text)
        assert line.value == text.splitlines()[0] and line.size.height == 1
