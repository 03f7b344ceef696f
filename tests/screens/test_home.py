from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from textual.widgets import Static

from dct_tui.screens.app import Workbench
from dct_tui.sessions import FitSettings, ModelSpec, PromptSet, Session, SessionRecord, Slice

RECORD = SessionRecord(
    name="one",
    created="2026-01-02T03:04:05.678Z",
    model=ModelSpec(
        spec="m",
        path="/m",
        config_sha256="d" * 64,
        weights_sha256="e" * 64,
        model_type="llama",
        depth=6,
        width=8,
        dtype="float32",
    ),
    slice=Slice(2, 5),
    prompts=PromptSet.of(["one", "two"]),
    fit=FitSettings(method="exponential", factors=4, iterations=3, orthogonalisation="polar", seed=7),
)


def make(home: Path, name: str, **changes: object) -> Session:
    return Session.create(home / "sessions" / name, dataclasses.replace(RECORD, **changes))  # type: ignore[arg-type]


def listing(app: Workbench) -> str:
    return str(app.screen.query_one("#session-list", Static).content)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_without_sessions_it_says_how_to_make_one(home: Path, size: tuple[int, int]) -> None:
    app = Workbench()
    async with app.run_test(size=size) as pilot:
        assert "dct-tui demo" in listing(app)
        await pilot.press("q")
    assert not app.is_running


async def test_sessions_appear_when_read_again(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        make(home, "new-one")
        assert "new-one" not in listing(app)
        await pilot.press("r")
        assert "new-one" in listing(app) and "created" in listing(app)


async def test_a_dead_fit_is_not_said_to_be_running(home: Path) -> None:
    make(home, "dead", status="fitting").progress.append({"iteration": 2})
    app = Workbench()
    async with app.run_test():
        assert "interrupted at 2/3" in listing(app)


@pytest.mark.parametrize("name", ["[b]bold[b]", "[", "\x1b[31mred", "日本" * 30, "[@click=app.quit]x"])
async def test_hostile_names_and_damage(home: Path, name: str) -> None:
    folder = make(home, "spoilt").path.rename(home / "sessions" / name)
    record = json.loads((folder / "session.json").read_text())
    (folder / "session.json").write_text(json.dumps({**record, "schema": "[red]\x1b[0m"}))
    make(home, "sound")
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        text = listing(app)
        assert "\x1b" not in text and "damaged:" in text and "sound" in text
        assert len(text.splitlines()) == 2
        await pilot.press("j", "k", "down", "up")
        assert "\x1b" not in app.export_screenshot()


async def test_many_sessions_scroll(home: Path) -> None:
    for number in range(30):
        make(home, f"session-{number}")
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        sessions = app.screen.query_one("#sessions")
        assert sessions.max_scroll_y > 0 and sessions.scroll_y == 0
        await pilot.press("j", "j", "k")
        await pilot.pause()
        assert sessions.scroll_y == 1
        assert sessions.region.height >= 5
