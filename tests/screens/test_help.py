"""Help and palette: what they list is what the keys do."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.screen import Screen
from textual.widget import Widget

from dct_tui.screens.app import Workbench
from dct_tui.screens.dialogs import Confirm, EnterText
from dct_tui.screens.help import HelpScreen, help_lines, help_topics
from dct_tui.screens.help_words import WIDGETS, Topic, topic_of
from dct_tui.screens.keymap import all_bindings
from dct_tui.screens.log import LogScreen
from dct_tui.screens.palette import PaletteScreen, _Commands, commands
from dct_tui.screens.widgets.input_line import InputLine
from dct_tui.screens.widgets.line_list import LineList
from dct_tui.screens.widgets.scrolled_lines import ScrolledLines
from dct_tui.triage.filter_text import filter_text, parse_filter
from dct_tui.triage.orders import ORDERS
from tests.fitted import fitted_session
from tests.screens.conftest import MakeSession
from tests.screens.looking import screen_text
from tests.screens.triage_app import features_of, until


async def test_help_tells_what_every_key_here_does(make_session: MakeSession) -> None:
    make_session("one")
    app = Workbench()
    async with app.run_test(size=(100, 50)) as pilot:
        listed = {
            binding.id: tooltip or binding.tooltip
            for _, binding, _, tooltip in app.screen.active_bindings.values()
            if binding.id
        }
        topics = help_topics(app.screen)
        told = {what for topic in topics for _, what in topic.terms}
        assert told == set(listed.values()) and len(listed) > 20
        assert topics[-1].title == "Everywhere" and topics[0].title == "On this screen"
        assert "The list of sessions" in [topic.title for topic in topics]
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        assert "the last used first" in screen_text(app) and "Fit a model" in screen_text(app)
        await pilot.press("q")
        assert not isinstance(app.screen, HelpScreen)


def focusable() -> list[type[Widget]]:
    """Every kind of widget of ours that can have the focus."""
    all_bindings()  # imports every screen
    found, waiting = [], [Widget]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("dct_tui.screens") and kind.can_focus and not issubclass(kind, Screen):
            found.append(kind)
    return found


def test_whatever_can_have_the_focus_is_explained() -> None:
    kinds = focusable()
    assert len(kinds) > 15
    for kind in kinds:
        topic = topic_of(kind)
        assert topic is not None, kind
        assert kind is LineList or topic is not WIDGETS["line_list.LineList"], f"{kind} is more than a list"
        assert len(topic.title) <= 40 and 1 <= topic.text.count(". ") + topic.text.endswith(".") <= 4, kind
    modules = {f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}" for kind in kinds}
    assert set(WIDGETS) <= modules, "what is explained is there"


async def test_help_of_the_features_explains_columns_filters_and_orders(home: Path) -> None:
    session = fitted_session(home / "sessions" / "one")
    async with features_of(session, size=(140, 40)) as (_, screen):
        topics = {topic.title: topic for topic in help_topics(screen)}
        columns = " ".join(term for term, _ in topics["What the columns say"].terms)
        named = " ".join(text for text, _, _ in screen.listed.header(138)).split()
        assert all(name in columns for name in named) and "100%!" in columns
        examples = [term for term, what in topics["Filters"].terms if what.startswith("for example: ")]
        assert len(examples) == 3
        for example in examples:
            assert filter_text(parse_filter(example)), "what is shown can be typed"
        assert {term for term, _ in topics["Orders"].terms} == set(ORDERS)
        assert "The list of features" in topics


def test_meanings_stand_beside_their_terms_at_any_width() -> None:
    topic = Topic("T", "one two " * 20, (("a", "three four " * 9), ("a term that is longer", "five")))
    for width in (30, 80):
        lines = ["".join(text for text, _ in line) for line in help_lines([topic, topic], width)]
        assert max(map(len, lines)) <= width
        assert " ".join(" ".join(lines).split()).startswith("T one two one two")
        at = next(line for line in lines if line.startswith("  a ")).index("three")
        assert [line.index("four") > at for line in lines if "four" in line]
        assert all(line[:at].isspace() for line in lines if "five" in line or line.startswith("     "))


async def test_keys_that_come_fast_scroll_as_far_as_those_that_come_slowly(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f1")
        lines = app.screen.query_one(ScrolledLines)
        for _ in range(7):  # nothing is laid out between them
            app.post_message(events.Key("j", "j"))
        await until(pilot, lambda: lines.top == 7)
        await pilot.press("g", *"jjk")
        assert lines.top == 1


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
        await pilot.press("q")
        app.push_screen(EnterText("What?"))
        await pilot.pause()
        await pilot.press("question_mark", "f1")
        assert "A line to type in" in screen_text(app)
        assert "raises DctError" not in screen_text(app), "that is for those who write screens"
        await pilot.press("f1")
        assert isinstance(app.screen, EnterText) and app.screen.query_one(InputLine).value == "?"


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
