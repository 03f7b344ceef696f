"""Settings and keys: what is written counts, what is wrong is told, and the docs list what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from dct_tui.screens.app import Workbench
from dct_tui.screens.config import Config, config_path, read_config, read_state, remember
from dct_tui.screens.help import HelpScreen
from dct_tui.screens.keymap import all_bindings, document, keymap_problems
from dct_tui.screens.widgets.session_list import SessionList
from tests.screens.conftest import MakeSession
from tests.screens.looking import screen_text

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
    ],
)
def test_keys_that_cannot_be_meant(keys: dict[str, str], told: str) -> None:
    problems = keymap_problems(keys)
    assert any(told in problem for problem in problems), problems


def test_keys_that_can(home: Path) -> None:
    assert keymap_problems({"list.up": "i,ctrl+y,f5", "list.down": "question_mark", "help": "space"}) == []


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


def test_the_docs_list_what_there_is() -> None:
    assert KEYS_PAGE.read_text() == document(), "run: python -m dct_tui.screens.keymap > docs/keys.md"
