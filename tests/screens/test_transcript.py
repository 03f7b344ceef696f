"""The transcript: wrapping, growing, what is painted again, and texts that would break a layout."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Region

from benchmarks.synthetic import HOSTILE
from dct_tui.screens.widgets.transcript import Transcript
from dct_tui.screens.widgets.transcript_blocks import Note, Replied, Said, changed_columns
from dct_tui.screens.widgets.transcript_wrap import Wrapped

TEXTS = st.text(st.sampled_from("ab c  \n日本é\u0301🐛-"), max_size=120)
WORDS = "one two three four five six seven eight nine ten "


@given(TEXTS, st.integers(2, 20))
def test_every_line_fits_and_nothing_is_lost(text: str, width: int) -> None:
    lines = Wrapped(text, width).lines
    assert all(cell_len(line) <= width for line in lines)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", text)


@given(st.lists(st.text("abc", min_size=1, max_size=8), max_size=30), st.integers(8, 20))
def test_words_are_whole_and_lines_are_full(words: list[str], width: int) -> None:
    lines = [line.split() for line in Wrapped(" ".join(words), width).lines]
    assert [word for line in lines for word in line] == words
    for line, following in pairwise(lines):
        assert len(" ".join([*line, following[0]])) > width


@given(st.lists(TEXTS, max_size=12), st.integers(2, 20))
def test_grown_or_whole_is_the_same(pieces: list[str], width: int) -> None:
    grown = Wrapped("", width)
    for piece in pieces:
        grown.grow(piece)
    assert grown.lines == Wrapped("".join(pieces), width).lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a\n\nb", ["a", "", "b"]),
        ("    indented words", ["    indented", "words"]),
        ("x" * 25, ["x" * 12, "x" * 12, "x"]),
        ("ab " + "x" * 20, ["ab", "x" * 12, "x" * 8]),
        ("日本語の文字は二列です", ["日本語の文字", "は二列です"]),
        ("tab\tend", ["tab    end"]),
    ],
)
def test_lines_of_twelve_columns(text: str, lines: list[str]) -> None:
    assert Wrapped(text, 12).lines == lines


class Chats(App[None]):
    def __init__(self, transcript: Transcript) -> None:
        super().__init__()
        self.transcript = transcript
        self.copies = 0

    def compose(self) -> ComposeResult:
        yield self.transcript

    def on_transcript_copied(self) -> None:
        self.copies += 1


class Watched(Transcript):
    """`painted` holds the regions that were asked to be painted again; None: all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.painted: list[Region | None] = []

    def refresh(self, *regions: Region, **options: bool) -> Watched:
        self.painted += regions or [None]
        return super().refresh(*regions, **options)


def shown(transcript: Transcript) -> list[str]:
    strips = [transcript.render_line(y) for y in range(transcript.size.height)]
    assert all(strip.cell_length == transcript.size.width for strip in strips)
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


async def test_a_reply_grows_at_the_cost_of_what_it_adds() -> None:
    transcript = Watched()
    app = Chats(transcript)
    async with app.run_test(size=(60, 20)):
        transcript.show([Said("Hi"), Replied("1:+1", "")])
        transcript.painted.clear()
        transcript.grow("steered", "Hello")
        assert transcript.painted == [Region(2, 3, 5, 1)]
        transcript.painted.clear()
        transcript.grow("steered", " there")
        assert transcript.painted == [Region(7, 3, 6, 1)]
        assert shown(transcript)[:4] == ["› Hi", "", "· 1:+1", "  Hello there"]


@pytest.mark.parametrize("width", [60, 120])
async def test_two_sides_stand_where_there_is_room(width: int) -> None:
    transcript = Watched()
    async with Chats(transcript).run_test(size=(width, 20)):
        transcript.show([Replied("1:+1", "arr", "ah")])
        transcript.painted.clear()
        transcript.grow("unsteered", "oy")
        assert len(transcript.painted) == 1 and transcript.painted[0] is not None
        assert transcript.painted[0].width == 2
        lines = shown(transcript)
        if width == 60:
            assert lines[:4] == ["· 1:+1", "  arr", "  ┄ unsteered", "  ahoy"]
        else:
            assert [line.split("│")[0].strip() for line in lines[:2]] == ["· 1:+1", "arr"]
            assert [line.split("│")[1].strip() for line in lines[:2]] == ["unsteered", "ahoy"]


async def test_what_is_painted_is_enough() -> None:
    """Painting only what is said to have changed gives what painting everything gives."""
    transcript = Watched()
    async with Chats(transcript).run_test(size=(40, 12)):
        transcript.show([Said("Hi"), Replied("1:+1", "", "")])
        screen = shown_cells(transcript)
        for place, piece in enumerate(
            [*WORDS.split(" "), "e", "\u0301", "日本", "👩", "\u200d", "🔬", "x" * 50, "\n\n", "."]
        ):
            transcript.painted.clear()
            transcript.grow(("steered", "unsteered")[place % 2], piece + " " * (place < 10))
            now = shown_cells(transcript)
            for region in transcript.painted:
                if region is None:
                    screen = now
                else:
                    for y in range(region.y, region.bottom):
                        screen[y][region.x : region.right] = now[y][region.x : region.right]
            assert screen == now, piece


def shown_cells(transcript: Transcript) -> list[list[str]]:
    """What stands in each column; joined characters in the column of the first."""
    rows = []
    for y in range(transcript.size.height):
        cells: list[str] = []
        for char in transcript.render_line(y).text:
            if cell_len(char) == 0 or (cells and cells[-1].endswith("\u200d")):
                cells[-1 if cells[-1] or len(cells) < 2 else -2] += char
            else:
                cells += [char, ""][: cell_len(char)]
        rows.append(cells)
    return rows


async def test_the_end_is_followed_by_half_pages() -> None:
    transcript = Watched()
    async with Chats(transcript).run_test(size=(40, 11)):
        transcript.show([Said("Hi"), Replied("1:+1", "")])
        transcript.painted.clear()
        for number in range(60):
            transcript.grow("steered", f"line {number}\n")
            assert any(f"line {number}" in line for line in shown(transcript))
        assert transcript.painted.count(None) <= 60 // 4


async def test_scrolled_up_it_stays_and_at_the_end_it_follows() -> None:
    transcript = Transcript()
    async with Chats(transcript).run_test(size=(40, 11)) as pilot:
        transcript.show([Replied("1:+1", "\n".join(f"line {n}" for n in range(50)))], another=True)
        transcript.focus()
        assert "line 49" in transcript.render_line(9).text
        await pilot.press("g")
        assert "1:+1" in transcript.render_line(0).text
        transcript.grow("steered", "\nmore\nand more")
        assert "1:+1" in transcript.render_line(0).text
        await pilot.press("j", "j", "k", "pagedown", "ctrl+d", "ctrl+u", "pageup")
        assert transcript.top == 1
        await pilot.press("G")
        transcript.grow("steered", "\nmost")
        assert "most" in "".join(shown(transcript))


async def test_a_shorter_chat_is_in_view() -> None:
    transcript = Transcript()
    async with Chats(transcript).run_test(size=(40, 11)):
        transcript.show([Replied("1:+1", "\n".join(f"line {n}" for n in range(50)))], another=True)
        transcript.show([Said("Hi")])
        assert shown(transcript)[0] == "› Hi"


async def test_at_another_width_all_is_wrapped_anew() -> None:
    transcript = Transcript()
    async with Chats(transcript).run_test(size=(100, 20)) as pilot:
        transcript.show([Said(WORDS * 4), Note(WORDS * 2), Replied("1:+1", WORDS * 3)])
        words = transcript.text.split()
        await pilot.resize_terminal(30, 12)
        await pilot.pause()
        assert transcript.text.split() == words
        assert max(len(line) for line in transcript.text.splitlines()) <= 30
        assert shown(transcript)[-2].endswith(("ten", "nine ten", "nine"))


@pytest.mark.parametrize("width", [30, 120])
async def test_hostile_texts(width: int) -> None:
    transcript = Transcript()
    async with Chats(transcript).run_test(size=(width, 15)):
        for text in HOSTILE:
            transcript.show([Said(text), Note(text), Replied(text, text, text, notes=[(text, "warn")])])
            transcript.grow("steered", text)
            transcript.grow("unsteered", text[::-1])
            for top in range(0, len(transcript.text.splitlines()), 10):
                transcript.go_to(top)
                assert not set("\x1b\x07\x9b\x90\u202e\u2066\r\x00\x7f") & set("".join(shown(transcript)))


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ((("ab", ""),), (("abc", ""),), [(2, 1)]),
        ((("ab", ""),), (("ab", ""),), []),
        ((("ab", ""),), (("ab", "dim"),), [(0, 2)]),
        ((("abc", ""),), (("a", ""),), [(1, 2)]),
        ((), (("  ab", ""),), [(2, 2)]),
        ((("日", ""),), (("日本", ""),), [(2, 2)]),
        ((("e", ""),), (("e\u0301", ""),), [(0, 1)]),
        ((("a ", ""), ("|", ""), ("x", "")), (("ab", ""), ("|", ""), ("xy", "")), [(1, 1), (4, 1)]),
        ((("a", ""), ("x", "")), (("ab", ""), ("x", "")), [(0, 0)]),
    ],
)
def test_changed_columns(
    before: tuple[tuple[str, str], ...], after: tuple[tuple[str, str], ...], changed: list[tuple[int, int]]
) -> None:
    assert changed_columns(before, after) == changed


async def test_a_key_asks_for_a_copy() -> None:
    transcript = Transcript()
    app = Chats(transcript)
    async with app.run_test() as pilot:
        transcript.focus()
        await pilot.press("y")
        assert app.copies == 1
