"""The chat screen on a session without a model, and an engine that answers in it as a real one does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from benchmarks.synthetic import Size, make_session
from dct_tui.engine.messages import Reply
from dct_tui.screens.app import Workbench
from dct_tui.screens.chat import ChatScreen
from dct_tui.screens.chat_rack import ChatRack
from dct_tui.screens.widgets.changing_lines import ChangingLines
from dct_tui.screens.widgets.message_box import MessageBox
from dct_tui.screens.widgets.transcript import Transcript
from dct_tui.sessions import Session
from dct_tui.sessions.chats import ChatLog, ChatMessage, ChatSettings
from dct_tui.sessions.rack import RackEntry
from tests.engine.scripted import IDLE, ScriptedEngine

SMALL = Size(factors=16, width=8, sampled=0)
STEERED = RackEntry(features=(2,))


def chat_session(home: Path) -> Session:
    """A described session that can be chatted in."""
    make_session(home / "sessions" / "one", SMALL)
    return Session.open(home / "sessions" / "one")


@dataclass
class Speaker:
    """An engine that answers in a session as a real one does.

    Attributes:
        steered: what it says, in pieces; without a rack, or beside it, `plain`.
        gate: it waits here before the last piece.
    """

    steered: list[str] = field(default_factory=lambda: ["arr, ", "matey!"])
    plain: list[str] = field(default_factory=lambda: ["hello ", "there."])
    ended: bool = True
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def __call__(self, request: Reply, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        said = {"steered": self.steered if request.rack else self.plain}
        if request.compare:
            said["unsteered"] = self.plain
        told = dict.fromkeys(said, "")
        stopped = True
        try:
            for last in (False, True):
                for side, pieces in said.items():
                    text = pieces[-1] if last else "".join(pieces[:-1])
                    tell({"side": side, "text": text})
                    told[side] += text
                if not last:
                    await self.gate.wait()
            stopped = False
        finally:
            drawn = request.sampling
            settings = ChatSettings(
                system=request.system, temperature=drawn.temperature, seed=drawn.seed, compare=request.compare
            )
            log_of(request).answer(
                ChatMessage(
                    role="assistant",
                    content=told["steered"],
                    at="2026-01-01T00:00:00.000Z",
                    rack=request.rack,
                    settings=settings,
                    ended=self.ended and not stopped,
                    stopped=stopped,
                    unsteered=told.get("unsteered"),
                )
            )
        return {"text": told["steered"], "unsteered": told.get("unsteered"), "ended": self.ended}


def log_of(request: Reply) -> ChatLog:
    return ChatLog(Session.open(Path(request.session)).chat(request.chat))


@dataclass
class Chat:
    """The screen, and what can be seen on it."""

    pilot: Pilot[None]
    engine: ScriptedEngine
    session: Session

    @property
    def screen(self) -> ChatScreen:
        screen = self.pilot.app.screen
        assert isinstance(screen, ChatScreen), screen
        return screen

    @property
    def text(self) -> str:
        return self.screen.query_one(Transcript).text

    @property
    def next(self) -> str:
        return "".join(text for text, _ in self.screen.query_one("#next", ChangingLines).lines[0])

    @property
    def box(self) -> MessageBox:
        return self.screen.query_one(MessageBox)

    @property
    def rack(self) -> ChatRack:
        return self.screen.query_one(ChatRack)

    @property
    def asked(self) -> list[Reply]:
        return self.engine.asked(Reply)

    def messages(self, name: str = "chat-1") -> list[ChatMessage]:
        return ChatLog(self.session.chat(name)).conversation.messages

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if char == " " else char for char in text))

    async def say(self, text: str) -> None:
        await self.type(text)
        await self.pilot.press("enter")
        await self.pilot.pause()


@asynccontextmanager
async def chatting(
    session: Session,
    reply: Any,
    *rack: RackEntry,
    size: tuple[int, int] = (120, 40),
    engine: ScriptedEngine | None = None,
) -> AsyncIterator[Chat]:
    engine = engine or ScriptedEngine({Reply: reply})

    async def engine_for(model: str | None) -> ScriptedEngine:
        return engine

    async def find() -> list[ScriptedEngine]:
        return [engine] if engine.state is not IDLE else []

    app = Workbench(engine_for, find=find)
    async with app.run_test(size=size) as pilot:
        await app.open_session(session.path, "chat")
        app.opened().rack = rack
        await pilot.pause()
        chat = Chat(pilot, engine, session)
        chat.screen.pulse()
        yield chat
