"""Dialogs: what they answer, and that an error can be read and copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.events import Paste
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input

from dct_tui.errors import DctError
from dct_tui.screens.app import Workbench
from dct_tui.screens.dialogs import ChooseOne, Confirm, EnterText, ErrorDialog, ShowText
from dct_tui.screens.paths_typed import PathSuggester
from tests.screens.looking import screen_text
from tests.screens.planning import until


async def answered(dialog: ModalScreen[Any], *keys: str) -> list[object]:
    answers: list[object] = []
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(dialog, answers.append)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
    return answers


@pytest.mark.parametrize(
    ("dialog", "keys", "answer"),
    [
        (lambda: Confirm("sure?"), ["y"], True),
        (lambda: Confirm("sure?"), ["n"], False),
        (lambda: Confirm("sure?"), ["q"], False),
        (lambda: EnterText("name?", "a"), ["b", "enter"], "ab"),
        (lambda: EnterText("name?", "a"), ["b", "escape"], None),
        (lambda: EnterText("name?", "a"), ["b", "ctrl+x"], None),
        (lambda: ChooseOne("which?", ["a", "b", "c"]), ["j", "enter"], 1),
        (lambda: ChooseOne("which?", ["a", "b", "c"], at=2), ["enter"], 2),
        (lambda: ChooseOne("which?", ["a", "b", "c"]), ["q"], None),
    ],
)
async def test_answers(home: Path, dialog: Any, keys: list[str], answer: object) -> None:
    assert await answered(dialog(), *keys) == [answer]


async def test_what_cannot_be_taken_is_told_and_the_line_stays(home: Path) -> None:
    def check(text: str) -> None:
        if text == "bad":
            raise DctError("[b]bad[/b] \x1b[31m is no name", "choose another")

    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(EnterText("name?", "bad", check=check))
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "[b]bad[/b]" in screen_text(app) and "\x1b" not in screen_text(app)
        assert isinstance(app.screen, EnterText)


async def test_an_error_is_shown_and_copied(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show_error(DctError("[red]it broke\x1b[0m", "mend it"))
        await pilot.pause()
        text = screen_text(app)
        assert "[red]it broke" in text and "→ mend it" in text and "\x1b" not in text
        await pilot.press("y")
        assert (home / "clipboard.txt").read_text() == "[red]it broke\x1b[0m\nmend it"
        await pilot.press("enter")
        assert not isinstance(app.screen, ErrorDialog)


async def test_a_long_text_scrolls(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(ShowText("numbers", "\n".join(f"line {number}" for number in range(60))))
        await pilot.pause()
        assert "line 0" in screen_text(app) and "line 59" not in screen_text(app)
        await pilot.press(*["space"] * 6)
        await pilot.pause()
        assert "line 59" in screen_text(app) and "enter closes" in screen_text(app)


async def test_a_notice_hides_nothing_of_a_dialog(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.push_screen(ShowText("numbers", "\n".join(f"line {number}" for number in range(60))))
        await pilot.pause()
        before = screen_text(app)
        await pilot.press("y")
        after = await until(pilot, "copied")
        for line in before.splitlines():
            assert "│" not in line or line in after.splitlines()


async def test_paths_are_completed(tmp_path: Path) -> None:
    (tmp_path / "alpha").mkdir()
    (tmp_path / "alpine.txt").write_text("")
    (tmp_path / ".hidden").mkdir()
    folders, files = PathSuggester(), PathSuggester(folders_only=False)
    assert await folders.get_suggestion(f"{tmp_path}/al") == f"{tmp_path}/alpha/"
    assert await files.get_suggestion(f"{tmp_path}/alpi") == f"{tmp_path}/alpine.txt"
    assert await folders.get_suggestion(f"{tmp_path}/alpi") is None
    assert await folders.get_suggestion(f"{tmp_path}/") == f"{tmp_path}/alpha/"
    assert await folders.get_suggestion(f"{tmp_path}/.h") == f"{tmp_path}/.hidden/"
    for text in ("", "/nowhere/at/all", "~nobody-of-that-name/x", "\0"):
        assert await folders.get_suggestion(text) is None


EVIL = "evil\x1b]52;c;ZXZpbA==\x07\x1b[31mRED\u202e\ttab\nline"


async def test_a_line_to_type_in_is_shown_inert_and_keeps_its_characters(home: Path) -> None:
    app, answers = Workbench(), []
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(EnterText("note?", EVIL), answers.append)
        await pilot.pause()
        line = app.screen.query_one(Input)
        shown = line.render_line(0).text
        assert "evil\ufffd]52" in shown and not any(char < " " or char == "\u202e" for char in shown)
        assert line.cursor_screen_offset.x - line.content_region.x == len(EVIL) + 1, "the cursor is behind its end"
        assert not line.cursor_blink
        await pilot.press("enter")
        await pilot.pause()
    assert answers == [EVIL]


async def test_what_is_pasted_is_inert_and_what_cannot_be_shown_is_not_offered(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(EnterText("tag?", suggester=SuggestFromList([EVIL, "good one"])))
        await pilot.pause()
        line = app.screen.query_one(Input)
        app.post_message(Paste("a\x1b[31mb"))
        await pilot.pause()
        assert line.value == "a\ufffd[31mb"
        for typed in ("e", "g"):
            line.value = typed
            await pilot.pause()
        assert line._suggestion == "good one"
        line.value = "e"
        await pilot.pause()
        assert line._suggestion == "" and line.render_line(0).text.strip() == "e"
