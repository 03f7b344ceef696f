"""Help and palette: what they list is what the keys do."""

from __future__ import annotations

from pathlib import Path

from dct_tui.screens.app import Workbench
from dct_tui.screens.dialogs import Confirm
from dct_tui.screens.help import HelpScreen, key_groups
from dct_tui.screens.log import LogScreen
from dct_tui.screens.palette import PaletteScreen, _Commands, commands
from tests.screens.conftest import MakeSession
from tests.screens.looking import screen_text


async def test_help_tells_what_every_key_here_does(make_session: MakeSession) -> None:
    make_session("one")
    app = Workbench()
    async with app.run_test(size=(100, 50)) as pilot:
        listed = {
            binding.id: tooltip or binding.tooltip
            for _, binding, _, tooltip in app.screen.active_bindings.values()
            if binding.id
        }
        groups = key_groups(app.screen)
        told = {what for _, lines in groups for _, what in lines}
        assert told == set(listed.values()) and len(listed) > 20
        assert groups[-1][0] == "Everywhere" and groups[0][0] == "On this screen"
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        assert "the last used first" in screen_text(app) and "Fit a model" in screen_text(app)
        await pilot.press("q")
        assert not isinstance(app.screen, HelpScreen)


async def test_help_scrolls_where_there_is_little_room(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f1")
        assert "Leave the workbench" not in screen_text(app)
        await pilot.press(*["space"] * 6)
        await pilot.pause()
        assert "Leave the workbench" in screen_text(app) and "q closes" in screen_text(app)


async def test_help_of_a_dialog_is_about_the_dialog(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(Confirm("Sure?"))
        await pilot.pause()
        app.action_help()
        await pilot.pause()
        assert "Do it" in screen_text(app) and "Fit a model" not in screen_text(app)


async def test_the_palette_has_all_that_can_be_done(make_session: MakeSession) -> None:
    make_session("one")
    app = Workbench()
    async with app.run_test(size=(80, 24)):
        names = [command.name for command in commands(app, app.screen)]
        for name in ("New", "Rename", "Log", "Quit", "Theme: light", "Open one", "Help"):
            assert names.count(name) == 1, name


async def test_the_palette_does_what_is_chosen(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p", *"xyzzy")
        assert "nothing is called so" in screen_text(app)
        await pilot.press(*["backspace"] * 5, *"log", "enter")
        await pilot.pause()
        assert isinstance(app.screen, LogScreen)
        await pilot.press("ctrl+p")
        assert isinstance(app.screen, PaletteScreen)
        await pilot.press("ctrl+p")
        assert isinstance(app.screen, LogScreen)


async def test_a_session_is_opened_from_the_palette(make_session: MakeSession) -> None:
    make_session("one")
    make_session("two")
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p", *"open two", "enter")
        await pilot.pause()
        await app.workers.wait_for_complete()
        assert app.opened().session.name == "two" and app.current_mode == "fit"


async def test_keys_after_enter_do_not_change_what_the_palette_does(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause()
        palette = app.screen
        assert isinstance(palette, PaletteScreen)
        listed = palette.query_one(_Commands)
        listed.go_to(3)
        listed.action_choose()
        listed.filter("no such thing")  # as if typed before the choice was heard
        await pilot.pause()
        assert not isinstance(app.screen, PaletteScreen)
