"""Settings and keys: what is written counts, what is wrong is told, and the docs list what there is."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from dct_tui.screens.app import Workbench
from dct_tui.screens.chat import PLACEHOLDER
from dct_tui.screens.chat_dialogs import LINES_KEYS
from dct_tui.screens.chat_words import EMPTY, TOO_STRONG
from dct_tui.screens.config import Config, config_path, read_config, read_state, remember
from dct_tui.screens.dialogs import ShowText
from dct_tui.screens.help import HelpScreen
from dct_tui.screens.home import WELCOME
from dct_tui.screens.keymap import all_bindings, document, key_of
from dct_tui.screens.keymap_problems import keymap_problems
from dct_tui.screens.widgets.filter_line import FILTER_WORDS
from dct_tui.screens.widgets.session_list import SessionList
from dct_tui.sessions.manage import outside_sessions
from tests.screens.conftest import MakeSession
from tests.screens.looking import screen_text
from tests.screens.planning import until

KEYS_PAGE = Path(__file__).parents[2] / "docs" / "keys.md"


def write(home: Path, text: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(text)


def test_without_a_file_all_is_as_it_comes(home: Path) -> None:
    assert read_config() == Config() and config_path() == home / "config.toml"


def test_what_is_written_counts(home: Path) -> None:
    write(
        home,
        '[keys]\n"list.down" = "n, down"\nfeatures.star = "f"\n[look]\ntheme = "light"\nmouse = false\n'
        "[engine]\nidle_minutes = 5\n[triage]\nauto_advance = false\n",
    )
    assert read_config() == Config(
        keys={"list.down": "n,down", "features.star": "f"},
        theme="light",
        mouse=False,
        idle_minutes=5,
        auto_advance=False,
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[look\n", "config.toml: Expected"),
        ('[looks]\ntheme = "dark"\n', "there is no section [looks]"),
        ("look = 3\n", "look is a section"),
        ("[look]\ncolour = 1\n", "[look] has no colour"),
        ("[look]\nmouse = 1\n", "look.mouse should be true or false, not 1"),
        ("[engine]\nidle_minutes = -1\n", "engine.idle_minutes should be a number above 0"),
        ("[engine]\nidle_minutes = true\n", "engine.idle_minutes should be a number above 0"),
        ("[keys]\nback = 3\n", "keys.back should be a key in quotes"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(home: Path, text: str, told: str) -> None:
    write(home, text)
    config = read_config()
    assert len(config.problems) == 1 and told in config.problems[0] and str(home) in config.problems[0]
    assert config == Config(problems=config.problems), "all else is as it comes"


def test_a_file_that_is_no_text(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_bytes(b"\xff\xfe")
    assert "is not UTF-8" in read_config().problems[0]


def test_a_pipe_is_not_waited_for(home: Path) -> None:
    home.mkdir()
    os.mkfifo(home / "config.toml")
    os.mkfifo(home / "state.json")
    os.mkfifo(home / "recent.json")
    assert "is no file" in read_config().problems[0]
    assert read_state() == {} and outside_sessions() == []


@pytest.mark.parametrize("state", [b"", b"[]", b"{", b"\xff"])
def test_a_spoilt_memory_is_an_empty_one(home: Path, state: bytes) -> None:
    home.mkdir()
    (home / "state.json").write_bytes(state)
    assert read_state() == {}
    remember(theme="light")
    remember(other=1)
    assert read_state() == {"theme": "light", "other": 1}


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"list.upwards": "k"}, "keys.list.upwards is no action"),
        ({"list.up": "hyperdown"}, "there is no key 'hyperdown'"),
        ({"list.up": "ctrl+m"}, "a terminal sends enter for ctrl+m"),
        ({"list.up": "j"}, "list.down and list.up are both on j"),
        ({"features.star": "x"}, "features.star and features.reject are both on x"),
        ({"home.new": "j"}, "list.down takes j before home.new"),
        ({"home.new": "1"}, "home.new takes 1 before go.home"),
        ({"dialog.leave_choice": "j"}, "list.down takes j before dialog.leave_choice"),
        ({"go.chat": "ctrl+d"}, "list.half_down takes ctrl+d before go.chat"),
        ({"quit": "z"}, "keys.quit: z could not be typed any more"),
        ({"quit": "ctrl+d"}, "quit takes ctrl+d before list.half_down"),
        ({"message.send": "z"}, "keys.message.send: z could not be typed"),
        ({"palette.down": "w"}, "keys.palette.down: w could not be typed"),
        ({"home.new": "ctrl+1"}, "most terminals do not send ctrl+1"),
        ({"home.new": "shift+enter"}, "most terminals do not send shift+enter"),
        ({"home.new": "super+x"}, "most terminals do not send super+x"),
        ({"home.new": "shift+f"}, "shift+f is written F"),
    ],
)
def test_keys_that_cannot_be_meant(keys: dict[str, str], told: str) -> None:
    problems = keymap_problems(keys)
    assert any(told in problem for problem in problems), problems


@pytest.mark.parametrize(
    "keys",
    [
        {"list.up": "ctrl+y,alt+k", "list.down": "shift+down,ctrl+alt+j"},
        {"help": "f9", "features.star": "f", "message.send": "f8", "quit": "ctrl+backslash"},
        {"dialog.yes": "j"},  # No list is there.
        {"home.new": "s", "features.star": "f"},  # Never on one screen.
    ],
)
def test_keys_that_can(keys: dict[str, str]) -> None:
    assert keymap_problems(keys) == []


async def test_a_changed_key_works_and_is_shown_everywhere(make_session: MakeSession) -> None:
    make_session("one")
    make_session("two")
    app = Workbench(config=Config(keys={"list.down": "w", "home.new": "z", "nothing": "q"}))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        listed = app.screen.query_one(SessionList)
        await pilot.press("j")
        assert listed.cursor == 0
        await pilot.press("w")
        assert listed.cursor == 1
        assert "z new" in screen_text(app).splitlines()[-1]
        assert any("keys.nothing is no action" in notice.message for notice in app._notifications)
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen) and "w  " in screen_text(app)


def test_every_binding_can_be_found_and_changed() -> None:
    bindings = all_bindings()
    ids = [bound.id for bound in bindings]
    assert len(ids) == len(set(ids))
    assert not [bound.id for bound in bindings if not (bound.tooltip and bound.description)], "each says what it does"
    # Two actions of one place on one key would hide one of them.
    assert keymap_problems({bound.id: ",".join(bound.keys) for bound in bindings}) == []


def test_the_keys_of_the_docs_can_be_meant(home: Path) -> None:
    write(home, document().partition("```toml\n")[2].partition("```")[0])
    config = read_config()
    assert len(config.keys) == 2 and not config.problems and keymap_problems(config.keys) == []


async def test_keys_are_named_as_they_are_set(home: Path) -> None:
    assert key_of("home.new") == "n" and key_of("help") == "?"
    app = Workbench(config=Config(keys={"home.new": "f7,z", "text.close": "ctrl+e"}))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("2")
        assert "press f7 for a new one" in await until(pilot, "no session is open")
        app.push_screen(ShowText("title", "text"))
        assert "ctrl+e closes" in await until(pilot, "closes")
    with pytest.raises(KeyError):
        key_of("nothing")


def test_every_key_that_is_named_is_bound() -> None:
    ids = {bound.id for bound in all_bindings()}
    sources = "".join(file.read_text() for file in (KEYS_PAGE.parents[1] / "screens").rglob("*.py"))
    named = set(re.findall(r"key_of\([\"']([^\"']+)[\"']\)", sources))
    for text in re.findall(r"with_keys\(\s*\"([^\"]*)\"", sources):
        named |= set(re.findall(r"{([^}]*)}", text))
    for constant in (WELCOME, EMPTY, TOO_STRONG, PLACEHOLDER, LINES_KEYS, FILTER_WORDS):
        named |= set(re.findall(r"{([^}]*)}", constant))
    assert len(named) > 40 and named <= ids, named - ids


async def test_many_problems_are_told_in_few_words_and_listed_in_the_help(home: Path) -> None:
    app = Workbench(config=Config(keys=dict.fromkeys(("a", "b", "c", "d", "e"), "x")))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert len(app.problems) == 5
        said = [notice.message for notice in app._notifications]
        assert len(said) == 4 and "and 2 more" in said[-1] and "? lists them" in said[-1]
        await pilot.press("question_mark")
        assert "keys.e is no action" in await until(pilot, "keys.a is no action")


def test_the_docs_list_what_there_is() -> None:
    assert KEYS_PAGE.read_text() == document(), "run: python -m dct_tui.screens.keymap > docs/keys.md"
