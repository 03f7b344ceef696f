"""The workbench on the features of a session, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widget import Widget

from dct_tui.screens.app import Workbench
from dct_tui.screens.features import FeaturesScreen
from dct_tui.screens.widgets.changing_lines import ChangingLines
from dct_tui.sessions import Session
from tests.engine.scripted import ScriptedEngine

PATIENCE_S = 20


@asynccontextmanager
async def features_of(
    session: Session, engine: ScriptedEngine | None = None, *, size: tuple[int, int] = (120, 40), found: bool = True
) -> AsyncIterator[tuple[Pilot[None], FeaturesScreen]]:
    """The features screen of a session; an engine that is not `found` is only there when it is asked for."""

    async def engine_for(model: str | None) -> ScriptedEngine:
        assert engine is not None, "no engine was to be asked for"
        return engine

    async def find() -> list[ScriptedEngine]:
        return [engine] if engine is not None and found else []

    app = Workbench(engine_for, session.path, find=find)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: isinstance(app.screen, FeaturesScreen) and hasattr(app.screen, "sampler"))
        screen = app.screen
        assert isinstance(screen, FeaturesScreen)
        await pilot.pause()
        yield pilot, screen


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    """Waits until something holds; fails where it does not come to hold."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await pilot.pause(0.01)


def lines(widget: Widget) -> list[str]:
    """What a widget of lines shows; fails where a line is not as wide as the widget, or not inert."""
    size = widget.content_size
    shown = []
    for y in range(size.height):
        strip = widget.render_line(y)
        text = strip.text
        assert strip.cell_length == cell_len(text) == size.width, repr(text)
        assert not any(char < " " or "\u202a" <= char <= "\u202e" for char in text), repr(text)
        shown.append(text.rstrip())
    return shown


def text_of(widget: Widget) -> str:
    """The same as one text."""
    return "\n".join(lines(widget))


def counts(screen: FeaturesScreen) -> str:
    """The line of counts."""
    return text_of(screen.query_one("#counts", ChangingLines))
