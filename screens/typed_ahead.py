"""One key at a time: what a key begins is done before the next is looked at, whoever does it.

A terminal sends what was typed quickly in one piece. Textual hands every key to what has the focus at that moment,
while the one before may still be on its way to opening a dialog, leaving a line or going to another place; the next
would act on what was there before. So keys wait behind each other here, each until a message that follows it has come
round.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from textual import events
from textual.app import App, ScreenStackError
from textual.await_complete import AwaitComplete
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import AwaitMount

TURNS = 3
"""How often the message comes round: behind the key, behind what it has told others, and behind what they began."""
PATIENCE_S = 0.5
"""A message that is lost with a screen that went holds the keys up no longer than this."""


class Followed(Message, namespace="typed_ahead"):
    """All that was sent before this has been handled on its way up from the focused widget."""

    def __init__(self, number: int, turns: int) -> None:
        super().__init__()
        self.number, self.turns = number, turns


class TypedAhead(App[None]):
    """An app in which what is typed ahead goes where it would have gone if it had been typed slowly."""

    _waiting: tuple[events.Key | events.Paste, ...] = ()
    _number = 0
    """Of the message that is on its way; older ones mean nothing."""
    _is_busy = False
    _patience: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        """Handles an event; what is typed waits for what was typed before."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._is_busy:
            self._waiting += (event,)
            if self._patience is None:
                self._patience = self.set_timer(PATIENCE_S, self._next)
        else:
            await self._type(event)

    def push_screen(self, screen: Screen[Any] | str, *arguments: Any, **named: Any) -> Any:
        """Puts a screen in front; keys wait until it can take them."""
        pushed = super().push_screen(screen, *arguments, **named)
        self._follow()
        return pushed

    def pop_screen(self) -> AwaitComplete:
        """Takes the screen in front away; keys wait for the one behind it."""
        popped = super().pop_screen()
        self._follow()
        return popped

    def switch_mode(self, mode: str) -> AwaitMount:
        """Goes to another place; keys wait until it can take them."""
        switched = super().switch_mode(mode)
        self._follow()
        return switched

    async def on_typed_ahead_followed(self, event: Followed) -> None:
        """The message has come round."""
        if event.number == self._number:
            if event.turns > 1:
                self._follow(event.turns - 1)
            else:
                await self._next()

    async def _type(self, event: events.Key | events.Paste) -> None:
        self._is_busy = True
        await super().on_event(event)
        self._follow()

    def _follow(self, turns: int = TURNS) -> None:
        self._is_busy = True
        self._number += 1
        with suppress(ScreenStackError):  # the app is ending
            (self.focused or self.screen).post_message(Followed(self._number, turns))

    async def _next(self) -> None:
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
        self._is_busy = False
        if self._waiting:
            event, *rest = self._waiting
            self._waiting = tuple(rest)
            await self._type(event)
            if rest:
                self._patience = self.set_timer(PATIENCE_S, self._next)
