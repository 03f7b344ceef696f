"""A fit that is being put together is there again, until it is started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some
from textual import events

from dct_tui.engine.messages import StartFit
from dct_tui.screens.dialogs import ChooseOne
from dct_tui.screens.home import Home
from dct_tui.screens.layers_draft import builtin_prompts, first_draft
from dct_tui.screens.layers_kept import as_left
from dct_tui.screens.layers_presets import presets
from dct_tui.screens.model_lines import ModelLine
from dct_tui.screens.prompts import PromptsScreen
from tests.screens.conftest import RECORD, MakeSession
from tests.screens.looking import screen_text
from tests.screens.planning import engine, known, until, workbench

MODEL = ModelLine("builtin", depth=10, width=128)


def kept(home: Path) -> list[Path]:
    return list((home / "drafts").glob("*.json"))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_what_was_left_by_a_key_is_there_again(home: Path, size: Any) -> None:
    async with workbench(engine(), size) as pilot:
        await pilot.press("b")
        await known(pilot)
        await pilot.press("right_square_bracket", "q")
        await until(pilot, lambda: isinstance(pilot.app.screen, Home))
    async with workbench(engine(), size) as pilot:
        await pilot.press("b")
        screen = await known(pilot)
        assert screen.draft.values["source"] == "4" and "as you left it" in screen_text(pilot.app)
        await pilot.press("right")
        assert screen.draft.values["source"] == "" and screen.draft.prompts == builtin_prompts()
        assert "as you left it" not in screen_text(pilot.app)


async def test_prompts_survive_a_death_of_the_screens(home: Path) -> None:
    """Nothing is left in order here: what is on disk while the prompts are written is what a death leaves."""
    async with workbench(engine()) as pilot:
        await pilot.press("b")
        await known(pilot)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(pilot.app.screen, PromptsScreen))
        pilot.app.post_message(events.Paste("mine\nmine too"))
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseOne))
        await pilot.press("enter")
        await until(pilot, lambda: bool(kept(home)))
        assert as_left(first_draft(MODEL)).prompts.fit == ("mine", "mine too")


async def test_what_was_started_is_not_offered_again(home: Path, make_session: MakeSession) -> None:
    made = make_session("begun")

    def fit(request: StartFit, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        tell({"session": str(made.path)})
        return {"session": str(made.path)}

    async with workbench(engine({StartFit: fit})) as pilot:
        await pilot.press("b")
        await known(pilot)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: bool(kept(home)))
        await pilot.press("ctrl+g")
        await until(pilot, lambda: pilot.app.current_mode == "fit")
        assert not kept(home)


async def test_what_was_not_touched_is_not_kept(home: Path, make_session: MakeSession) -> None:
    make_session("one", model=replace(RECORD.model, spec="builtin", depth=10, width=128))
    async with workbench(engine()) as pilot:
        for key in "bd":
            await pilot.press(key)
            await known(pilot)
            await pilot.press("q")
            await until(pilot, lambda: isinstance(pilot.app.screen, Home))
        assert not kept(home)
        await pilot.press("b")
        await known(pilot)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: bool(kept(home)))


async def test_going_back_to_the_defaults_forgets(home: Path) -> None:
    async with workbench(engine()) as pilot:
        await pilot.press("b")
        screen = await known(pilot)
        await pilot.press(*"jjjjjjj", "right")
        await until(pilot, lambda: bool(kept(home)))
        await pilot.press("left")
        assert screen.draft.values == first_draft(MODEL).values
        await until(pilot, lambda: not kept(home))


def test_a_preset_brings_the_defaults_back_and_leaves_the_prompts() -> None:
    draft = replace(first_draft(MODEL).with_value("source", "5").with_value("seed", "9"), left=True)
    quick = next(preset for preset in presets(128) if preset.name == "quick look")
    assert draft.with_preset(quick).values == first_draft(MODEL).values
    assert replace(draft, left=False).with_preset(quick).values["source"] == "5", "a slice chosen now is kept"


json = some.recursive(
    some.none() | some.booleans() | some.integers(-5, 5) | some.text(max_size=5),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    some.fixed_dictionaries(
        {},
        optional={
            "model": some.just("builtin") | json,
            "values": some.dictionaries(some.sampled_from([*first_draft(MODEL).values, "no"]), json) | json,
            "prompts": some.fixed_dictionaries({}, optional={"fit": json, "validation": json, "system": json}) | json,
        },
    )
    | json
)
def test_whatever_lies_there_gives_a_draft_that_can_be_shown(tmp_path_factory: Any, document: object) -> None:
    from dct_tui.screens.layers_words import FIELDS, explanation, value_words

    with pytest.MonkeyPatch.context() as patched:
        folder = tmp_path_factory.getbasetemp() / "hostile"
        patched.setenv("DCT_TUI_HOME", str(folder))
        from dct_tui.screens import layers_kept

        file = layers_kept._file("builtin")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(orjson.dumps(document))
        draft = as_left(first_draft(MODEL))
        draft.problems()
        for name in FIELDS:
            value_words(name, draft)
            explanation(name, draft)
        assert set(draft.values) == set(first_draft(MODEL).values)


async def test_a_duplicate_does_not_take_the_place_of_the_models_own(home: Path, make_session: MakeSession) -> None:
    make_session("one", model=replace(RECORD.model, spec="builtin", depth=10, width=128))
    async with workbench(engine()) as pilot:
        await pilot.press("b")
        await known(pilot)
        await pilot.press("right_square_bracket", "q")
        await until(pilot, lambda: isinstance(pilot.app.screen, Home))
        mine = [file.read_bytes() for file in kept(home)]
        await pilot.press("d")
        await known(pilot)
        await pilot.press("right_curly_bracket", "left_curly_bracket", "left_curly_bracket", "q")
        await until(pilot, lambda: isinstance(pilot.app.screen, Home))
        assert len(mine) == 1 and [file.read_bytes() for file in kept(home)] == mine
