"""The prompts of a fit: typed, pasted, read, split, and seen as the model sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from dct_tui.engine.messages import Preview
from dct_tui.errors import DctError
from dct_tui.screens.dialogs import ChooseOne, EnterText
from dct_tui.screens.layers import LayersScreen
from dct_tui.screens.layers_draft import builtin_prompts
from dct_tui.screens.prompts import PromptsScreen
from tests.screens.looking import screen_text
from tests.screens.planning import engine, until, workbench, write


async def prompts(pilot: Pilot[None]) -> PromptsScreen:
    """The prompts of the built-in model."""
    await pilot.press("b")
    await until(pilot, lambda: isinstance(pilot.app.screen, LayersScreen))
    await pilot.press("p")
    await until(pilot, lambda: isinstance(pilot.app.screen, PromptsScreen))
    assert isinstance(pilot.app.screen, PromptsScreen)
    return pilot.app.screen


async def asked(pilot: Pilot[None], key: str, answer: str) -> None:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, EnterText))
    pilot.app.screen.query_one(Input).insert_text_at_cursor(answer)
    await pilot.press("enter")
    await until(pilot, lambda: not isinstance(pilot.app.screen, EnterText))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_prompt_under_the_cursor_is_seen_as_the_model_sees_it(home: Path, size: Any) -> None:
    scripted = engine()
    async with workbench(scripted, size) as pilot:
        screen = await prompts(pilot)
        text = await until(pilot, "⟦<|user|>⟧")
        assert "12 to fit on, 12 to judge on" in text and "«" in text and "⟦⟧ special" in text
        await pilot.press("j", "j")
        await until(pilot, lambda: scripted.asked(Preview)[-1].prompts == (screen.draft.fit[2],))
        alone = [request for request in scripted.asked(Preview) if len(request.prompts) == 1]
        assert len(alone) == 2, "of the rows that are passed none is asked for"


async def test_typing_editing_removing_and_undo(home: Path) -> None:
    async with workbench(engine()) as pilot:
        screen = await prompts(pilot)
        first = screen.draft.fit
        await asked(pilot, "a", "who are you")
        assert screen.draft.fit == (*first, "who are you") and screen.prompts.at == "who are you"
        await asked(pilot, "enter", " now")
        assert screen.draft.fit[-1] != "who are you" and len(screen.draft.fit) == 13
        await pilot.press("x")
        assert screen.draft.fit == first
        await pilot.press("u", "u", "u")
        assert screen.draft.fit == first
        await pilot.press("X")
        assert screen.draft.fit == () and "No prompts yet" in screen_text(pilot.app)
        await pilot.press("b")
        assert screen.draft.fit == first


async def test_an_empty_prompt_is_not_taken(home: Path) -> None:
    async with workbench(engine()) as pilot:
        screen = await prompts(pilot)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, EnterText))
        await pilot.press("space", "enter")
        await until(pilot, "has something in it")
        await pilot.press("escape")
        assert len(screen.draft.fit) == 12


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_files_replace_or_add(home: Path, tmp_path: Path, size: Any) -> None:
    file = tmp_path / "some.txt"
    file.write_text("alpha\nbeta\n")
    async with workbench(engine(), size) as pilot:
        screen = await prompts(pilot)
        await asked(pilot, "f", str(file))
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseOne))
        text = await until(pilot, "beside them: 14 to fit on, 12 to judge on")
        assert "in place of the 12 that are here: 2 to fit on, 0 to judge on" in text
        await pilot.press("j", "enter")
        await until(pilot, lambda: len(screen.draft.fit) == 14)
        await asked(pilot, "f", str(file))
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseOne))
        await pilot.press("enter")
        await until(pilot, lambda: screen.draft.fit == ("alpha", "beta"))
        assert screen.draft.validation is None, "those of the built-in model went with its prompts"
        await asked(pilot, "v", str(file))
        assert screen.draft.validation == ("alpha", "beta")
        await pilot.press("h")
        assert screen.draft.validation is None


async def test_a_file_that_cannot_be_read_keeps_the_question(home: Path, tmp_path: Path) -> None:
    async with workbench(engine()) as pilot:
        await prompts(pilot)
        await pilot.press("f")
        await until(pilot, lambda: isinstance(pilot.app.screen, EnterText))
        await write(pilot, "/no/such.txt")
        await pilot.press("enter")
        await until(pilot, "there is no prompt file")
        assert isinstance(pilot.app.screen, EnterText)


async def test_a_quarter_is_held_back_where_none_are_given(home: Path) -> None:
    async with workbench(engine()) as pilot:
        screen = await prompts(pilot)
        await pilot.press("h")
        text = screen_text(pilot.app)
        assert "9 to fit on, 3 to judge on" in text and text.count("held back") == 3
        assert screen.draft.validation is None


async def test_the_system_prompt_is_seen(home: Path) -> None:
    scripted = engine()
    async with workbench(scripted) as pilot:
        screen = await prompts(pilot)
        await asked(pilot, "s", "be brief")
        await until(pilot, lambda: scripted.asked(Preview)[-1].system == "be brief")
        assert "system prompt: be brief" in screen_text(pilot.app)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, LayersScreen))
        assert pilot.app.screen.draft.prompts == screen.draft  # type: ignore[attr-defined]


async def test_a_thousand_pasted_lines(home: Path) -> None:
    async with workbench(engine()) as pilot:
        screen = await prompts(pilot)
        pilot.app.post_message(events.Paste("\n".join(f"line {number}" for number in range(1000))))
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseOne))
        await pilot.press("enter")
        await until(pilot, lambda: len(screen.draft.fit) == 1000)
        assert "750 to fit on, 250 to judge on" in screen_text(pilot.app), "a quarter of the new ones is held back"
        await pilot.press("u")
        assert screen.draft == builtin_prompts()


async def test_a_paste_that_is_left_changes_nothing(home: Path) -> None:
    async with workbench(engine()) as pilot:
        screen = await prompts(pilot)
        pilot.app.post_message(events.Paste("one\ntwo"))
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseOne))
        await pilot.press("q")
        await until(pilot, lambda: pilot.app.screen is screen)
        assert screen.draft == builtin_prompts()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_words_that_the_model_does_not_know_are_counted(home: Path, size: Any) -> None:
    seen = {"tokens": ["<|user|>", "say", "<unk>", "<unk>"], "special": [0, 2, 3], "unknown": [2, 3], "targets": 1}
    async with workbench(engine({Preview: {"template": True, "prompts": [seen]}}), size) as pilot:
        await prompts(pilot)
        text = await until(pilot, "! 2 tokens are unknown")
        assert "⟦<unk>⟧" in text


async def test_what_a_tokenizer_refuses_is_said_in_its_place(home: Path) -> None:
    def refuse(request: Preview, tell: object) -> dict[str, Any]:
        raise DctError("a prompt of 900 tokens is longer than the context of 512", "shorten it")

    async with workbench(engine({Preview: refuse})) as pilot:
        await prompts(pilot)
        await until(pilot, "✗ a prompt of 900 tokens")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_hostile_prompts_stay_text(home: Path, size: tuple[int, int]) -> None:
    async with workbench(engine(), size) as pilot:
        screen = await prompts(pilot)
        for text in ("\x1b[31mred", "[b]x[/b] [@click=app.quit]y[/]", "\u202eback", "日本" * 300, "x" * 10_000):
            await pilot.press("X")
            screen.take_lines(text)
            await until(pilot, "⟦<|user|>⟧")
            shown = screen_text(pilot.app)
            assert not any(hostile in shown for hostile in ("\x1b", "\u202e")) and len(shown.splitlines()) == size[1]
