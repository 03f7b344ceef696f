"""Writing from the export screen: in steps that can be stopped, and by an engine where the model is needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from benchmarks.synthetic import Size, make_session, mark
from dct_tui.engine.messages import Export
from dct_tui.errors import DctError
from dct_tui.screens import export_write
from dct_tui.screens.app import Workbench
from dct_tui.screens.export import ExportScreen
from dct_tui.screens.home import Home
from dct_tui.sessions import Session
from dct_tui.sessions.rack import RackEntry
from dct_tui.sessions.selection import Selection
from tests.engine.scripted import ScriptedEngine
from tests.screens.looking import screen_text
from tests.screens.planning import until


@pytest.fixture
def session(home: Path) -> Session:
    """Eight features of which 1 and 4 are starred."""
    session = make_session(home / "sessions" / "one", Size(factors=8, width=16, sampled=0))
    mark(session, star=[4, 1])
    return session


@pytest.fixture
def held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing comes no further than the fourth file."""
    steps = 0

    async def sleep(seconds: float) -> None:
        nonlocal steps
        steps += 1
        await (asyncio.sleep(0) if steps < 4 else asyncio.Event().wait())

    monkeypatch.setattr(export_write, "asyncio", SimpleNamespace(sleep=sleep))


@asynccontextmanager
async def exporting(session: Session, engine: ScriptedEngine, **choices: Any) -> AsyncIterator[Pilot[None]]:
    """The export screen with these choices."""

    async def engine_for(model: str | None) -> ScriptedEngine:
        assert model == session.record.model.spec
        return engine

    app = Workbench(engine_for, session=session.path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await app.action_go("export")
        await until(pilot, "to do what")
        screen = app.screen
        assert isinstance(screen, ExportScreen) and screen.choices is not None
        screen.choose(replace(screen.choices, **choices))
        await pilot.pause()
        yield pilot


async def test_the_screen_lives_on_while_files_are_written_and_x_leaves_nothing(
    session: Session, held_up: None
) -> None:
    async with exporting(session, ScriptedEngine(), which="all", formats=frozenset({"safetensors", "gguf"})) as pilot:
        assert "x stop" not in screen_text(pilot.app)
        await pilot.press("enter")
        await until(pilot, "4 of 9 files written; x stops")
        assert "x stop" in screen_text(pilot.app).splitlines()[-1]
        await pilot.press("enter", "v")  # Nothing else is begun meanwhile.
        await pilot.press("x")
        await until(pilot, "✓ 1 file written")
        assert sorted(path.name for path in session.exports.iterdir()) == ["one-8-vectors.safetensors", "receipt.json"]
        assert not list(session.path.glob(".*partial")) and "x stop" not in screen_text(pilot.app).splitlines()[-1]


async def test_leaving_the_session_stops_writing_and_is_no_error(session: Session, held_up: None) -> None:
    async with exporting(session, ScriptedEngine(), which="all", formats=frozenset({"gguf"})) as pilot:
        app = pilot.app
        assert isinstance(app, Workbench)
        await pilot.press("enter")
        await until(pilot, "4 of 8 files written")
        await app.close_session()
        await until(pilot, lambda: not list(session.path.glob(".*partial")))
        await pilot.pause()
        assert isinstance(app.screen, Home) and not session.exports.exists()


async def test_an_adapter_is_made_by_the_engine_of_the_model(session: Session, tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def made(request: Export, tell: Any) -> dict[str, Any]:
        tell({"stage": "writing", "done": 0, "of": 2})
        await gate.wait()
        path = str(Path(request.folder) / "one-lora" / "adapter_model.safetensors")
        return {"files": [{"path": path, "bytes": 2048, "sha256": "ab" * 32}], "checks": []}

    engine, folder = ScriptedEngine({Export: made}), tmp_path / "out"
    choices = {"formats": frozenset({"lora", "npz"}), "way": "ablate the output directions", "folder": str(folder)}
    async with exporting(session, engine, **choices) as pilot:
        assert "1 folder, with the model's help" in screen_text(pilot.app)
        await pilot.press("enter")
        await until(pilot, "writing, 0 of 2")
        gate.set()
        await until(pilot, "✓ 2 files written")
        assert "one-lora/adapter_model.safetensors  2.0 KB" in screen_text(pilot.app)
    (request,) = engine.asked(Export)
    assert request == Export(
        session=str(session.path),
        vectors=Selection(features=(1, 4), role="ablate", direction="output"),
        formats=("lora",),
        folder=str(folder),
    )
    assert (folder / "one-2-vectors.npz").is_file()


async def test_stopping_the_engine_keeps_what_was_written_without_it(session: Session, tmp_path: Path) -> None:
    async def endless(request: Export, tell: Any) -> None:
        tell({"stage": "load", "part": "weights", "done": 1, "of": 4})
        await asyncio.Event().wait()

    engine = ScriptedEngine({Export: endless})
    way = "ablate the input directions"
    async with exporting(session, engine, formats=frozenset({"model", "npz"}), way=way, folder=str(tmp_path)) as pilot:
        await pilot.press("enter")
        await until(pilot, "opening the model, 1 of 4")
        await pilot.press("x")
        await until(pilot, "✓ 1 file written")
    assert engine.cancelled == engine.asked(Export)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("one")) == ["one-2-vectors.npz"]


async def test_what_the_engine_refuses_is_told(session: Session) -> None:
    def refuse(request: Export, tell: Any) -> None:
        raise DctError("down_proj.bias is added to what is written", "export it as python")

    way = "ablate the input directions"
    async with exporting(session, ScriptedEngine({Export: refuse}), formats=frozenset({"lora"}), way=way) as pilot:
        await pilot.press("enter")
        await until(pilot, "→ export it as python")
        await pilot.press("enter")
        await until(pilot, "enter writes 1 folder")


@pytest.mark.parametrize(
    ("passed", "head", "line"),
    [
        (True, "✓ verified", "✓ one-feature-2.gguf  KL 1e-14 nats  gguf 1"),
        (None, "? not all of it could be verified", "? one-feature-2.gguf, logits: too little to tell"),
        (False, "✗ not all of it is what was meant", "✗ one-feature-2.gguf, logits: too little to tell"),
    ],
)
async def test_what_was_written_is_verified(session: Session, passed: bool | None, head: str, line: str) -> None:
    def checks(request: Export, tell: Any) -> dict[str, Any]:
        path = f"{request.folder}/one-feature-2.gguf"
        read = {
            "path": path,
            "what": "read back",
            "reader": "gguf 1",
            "passed": True,
            "said": "it loads",
            "figures": {},
        }
        told = {"passed": passed, "said": "too little to tell", "figures": {"kl_max": 1e-14}}
        return {
            "files": [{"path": path, "bytes": 5, "sha256": "0" * 64}],
            "checks": [read, {**read, "what": "logits", **told}],
        }

    engine = ScriptedEngine({Export: checks})
    async with exporting(session, engine, which="rack", formats=frozenset({"gguf"})) as pilot:
        pilot.app.opened().rack = [RackEntry(features=(2,), strength=0.5)]  # type: ignore[attr-defined]
        await until(pilot, "rack: 1 vector")
        await pilot.press("v")
        await until(pilot, "one-feature-2.gguf is not there")
        assert not engine.requests
        await pilot.press("enter", "enter")
        await until(pilot, "✓ 1 file written")
        await pilot.press("v")
        if passed is False:
            await until(pilot, "→ do not use it")
            await pilot.press("enter")
        assert line in await until(pilot, head)
    (request,) = engine.asked(Export)
    assert request.verify and request.vectors.rack == (RackEntry(features=(2,), strength=0.5),)
