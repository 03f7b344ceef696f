"""One chat as the screen holds it: its journal, and the reply that is being written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dct_tui.engine.errors import Cancelled
from dct_tui.engine.messages import Reply, SamplingChoice, StopJob, Watch
from dct_tui.errors import DctError
from dct_tui.sessions import Session
from dct_tui.sessions.chats import ChatLog, ChatMessage, ChatSettings
from dct_tui.sessions.rack import RackEntry, in_words

from .keymap import key_of

if TYPE_CHECKING:
    from dct_tui.engine.client import Engine, Job


PATIENCE_S = 15.0
"""How long a reply may take to end once it was told to: until the next token, and until a fit lets it in."""


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
        problem: why the last message got no reply. One for which the model has no room is to be taken back: in the
            history it would stand in the way of every later one.
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
        self._stop: Callable[[], Awaitable[Any]] | None = None
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

    def take_back(self) -> str:
        """Takes the last message out of the history, and gives its text."""
        place = self.last_of("user")
        if place is None:
            return ""
        text = self.messages[place].content
        self.log.cut(place)
        self.problem = None
        return text

    def answer(
        self,
        engine: Callable[[], Awaitable[Engine]],
        rack: tuple[RackEntry, ...],
        first: Callable[[], None] = lambda: None,
    ) -> Coroutine[Any, Any, None]:
        """Asks for a reply to the last message, and follows it until it is in the journal.

        From the call on, not from the first step of what it returns, a reply counts as being written.

        Args:
            engine: gives one that can answer.
            rack: what is in force.
            first: done when there is an engine, before it is asked.
        """
        request = self._request(rack)
        self._begin(in_words(rack), compare=request.compare)

        async def follow() -> None:
            at_hand = await engine()
            if self.stopping:
                return
            first()
            self.on_change(self)
            job = at_hand.begin(request)
            await self._hear(job, job.cancel)

        return self._until_over(follow)

    def follow(self, engine: Engine, job: int) -> Coroutine[Any, Any, None]:
        """Follows a reply that somebody else has asked for, from its first word on.

        Args:
            job: its `JobState.id`.
        """
        self._begin("…", compare=False)
        return self._until_over(lambda: self._hear(engine.begin(Watch(job=job)), lambda: engine.ask(StopJob(job=job))))

    def _request(self, rack: tuple[RackEntry, ...]) -> Reply:
        settings = self.settings
        return Reply(
            session=str(self.session.path),
            chat=self.name,
            text=None,
            rack=rack,
            system=settings.system,
            sampling=SamplingChoice(
                max_new_tokens=settings.max_new_tokens,
                temperature=settings.temperature,
                top_p=settings.top_p,
                seed=settings.seed,
            ),
            compare=settings.compare and bool(rack),
        )

    def _begin(self, rack: str, *, compare: bool) -> None:
        self._be_under(rack, compare=compare)
        self.stage, self.problem, self.stopping = "", None, False
        self._over.clear()
        self.on_change(self)

    def _be_under(self, rack: str, *, compare: bool) -> None:
        self.rack = rack
        self.live = {"steered": "", "unsteered": ""} if compare else {"steered": ""}

    async def _until_over(self, follow: Callable[[], Awaitable[None]]) -> None:
        try:
            await follow()
        except Cancelled:
            pass
        except DctError as error:
            self.problem = error
            if not self.log.conversation.unanswered:  # the reply there was still stands, and no room to say it below
                raise
        except Exception as error:
            self.problem = DctError(
                f"the workbench failed ({type(error).__name__})", f"{key_of('chat.again')} asks again"
            )
            raise
        finally:
            self._stop, self.live, self.stopping = None, None, False
            self._over.set()
            with suppress(DctError, OSError):  # the next look at the journal tells
                self.log.poll()
            self.on_change(self)

    async def stop(self) -> None:
        """Ends the reply, and waits until what there is of it is kept.

        Raises:
            DctError: it does not come to its end. Once it does, all is as if it had at once.
        """
        if self.live is None:
            return
        self.stopping = True
        self.on_change(self)
        try:
            async with asyncio.timeout(PATIENCE_S):
                if self._stop is not None:
                    await self._stop()
                await self._over.wait()
        except TimeoutError:
            raise DctError(
                "the reply does not end", "wait for it, or end its engine: `dct-tui engines` lists them"
            ) from None

    async def _hear(self, job: Job, stop: Callable[[], Awaitable[Any]]) -> None:
        self._stop = stop
        async for event in job:
            side, text = event.get("side"), event.get("text")
            if self.live is not None and isinstance(side, str) and side in self.live and isinstance(text, str):
                self.live[side] += text
                self.on_piece(self, side, text)
            elif "stage" in event:
                self._reach(event)
            elif "rack" in event:
                self._be_under(str(event["rack"]), compare=event.get("compare") is True)
                self.on_change(self)
        await job.result()

    def _reach(self, event: dict[str, object]) -> None:
        done, of = event.get("done"), event.get("of")
        share = f" {100 * done // of}%" if isinstance(done, int) and isinstance(of, int) and of > 1 else ""
        stage = f"{event.get('part') or event['stage']}{share}"
        if stage != self.stage:
            self.stage = stage
            self.on_change(self)
