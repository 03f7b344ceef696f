"""One chat as the screen holds it: its journal, and the reply that is being written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dct_tui.engine.errors import Cancelled
from dct_tui.engine.messages import Reply
from dct_tui.errors import DctError
from dct_tui.sessions import Session
from dct_tui.sessions.chats import ChatLog, ChatMessage, ChatSettings

if TYPE_CHECKING:
    from dct_tui.engine.client import Engine, Job


class Talk:
    """A chat of a session.

    What a person does is written to the journal here, at once and with or without an engine; replies are written by
    whoever makes them, and read from there.

    Attributes:
        name: of the chat.
        log: its journal.
        live: the reply that is being written, by side; None: there is none.
        rack: what that reply is under, in words.
        stage: what is done before its first word, in a few words.
        stopping: whether it is to end.
        problem: why the last message got no reply.
        on_change: called when anything but `live` is otherwise.
        on_piece: called with every piece of a reply, its side first.
    """

    def __init__(self, session: Session, name: str) -> None:
        """Reads the chat. Raises DctError where it cannot be read."""
        self.session, self.name = session, name
        self.log = ChatLog(session.chat(name))
        self.live: dict[str, str] | None = None
        self.rack = ""
        self.stage = ""
        self.problem: DctError | None = None
        self.on_change: Callable[[Talk], None] = lambda talk: None
        self.on_piece: Callable[[Talk, str, str], None] = lambda talk, side, text: None
        self.stopping = False
        self._job: Job | None = None
        self._over = asyncio.Event()

    @property
    def messages(self) -> list[ChatMessage]:
        """Those that stand."""
        return self.log.conversation.messages

    @property
    def settings(self) -> ChatSettings:
        """How the next reply is drawn."""
        return self.log.conversation.settings

    @property
    def unanswered(self) -> bool:
        """Whether the last message waits for a reply that nobody here is asking for."""
        return self.log.conversation.unanswered and self.live is None

    def last_of(self, role: str) -> int | None:
        """The place of the last message of a role."""
        places = (place for place in reversed(range(len(self.messages))) if self.messages[place].role == role)
        return next(places, None)

    def answer(
        self,
        engine: Callable[[], Awaitable[Engine]],
        request: Reply,
        rack: str,
        first: Callable[[], None] = lambda: None,
    ) -> Coroutine[Any, Any, None]:
        """Asks for a reply to the last message, and follows it until it is in the journal.

        From the call on, not from the first step of what it returns, a reply counts as being written.

        Args:
            engine: gives one that can answer.
            rack: what is in force, in words.
            first: done when there is an engine, before it is asked.
        """
        self.live = {"steered": "", "unsteered": ""} if request.compare else {"steered": ""}
        self.rack, self.stage, self.problem, self.stopping = rack, "", None, False
        self._over.clear()
        self.on_change(self)
        return self._answer(engine, request, first)

    async def _answer(self, engine: Callable[[], Awaitable[Engine]], request: Reply, first: Callable[[], None]) -> None:
        try:
            await self._follow(await engine(), request, first)
        except Cancelled:
            pass
        except DctError as error:
            self.problem = error
            if not self.log.conversation.unanswered:  # the reply there was still stands, and no room to say it below
                raise
        except Exception as error:
            self.problem = DctError(f"the workbench failed ({type(error).__name__})", "ctrl+r asks again")
            raise
        finally:
            self._job, self.live = None, None
            self._over.set()
            with suppress(DctError, OSError):  # the next look at the journal tells
                self.log.poll()
            self.on_change(self)

    async def stop(self) -> None:
        """Ends the reply, and waits until what there is of it is kept."""
        if self.live is None:
            return
        self.stopping = True
        self.on_change(self)
        if self._job is not None:
            await self._job.cancel()
        await self._over.wait()

    async def _follow(self, engine: Engine, request: Reply, first: Callable[[], None]) -> None:
        if self.stopping:
            return
        first()
        self.on_change(self)
        self._job = engine.begin(request)
        async for event in self._job:
            side, text = event.get("side"), event.get("text")
            if self.live is not None and isinstance(side, str) and side in self.live and isinstance(text, str):
                self.live[side] += text
                self.on_piece(self, side, text)
            elif "stage" in event:
                self._reach(event)
        await self._job.result()

    def _reach(self, event: dict[str, object]) -> None:
        done, of = event.get("done"), event.get("of")
        share = f" {100 * done // of}%" if isinstance(done, int) and isinstance(of, int) and of > 1 else ""
        stage = f"{event.get('part') or event['stage']}{share}"
        if stage != self.stage:
            self.stage = stage
            self.on_change(self)
