"""Keys typed ahead of a screen that is being opened: they are held, and go to it once it is in front.

A terminal sends what was typed quickly in one piece. Keys reach an app again when no widget has taken them, so those
behind the one that opens a dialog are already on their way by then; without this they would act on what is below it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from textual import events
from textual.app import App
from textual.screen import Screen


class TypedAhead(App[None]):
    """An app that hands what is typed ahead to the screen it was meant for."""

    _coming: Screen[Any] | None = None
    _held: tuple[events.Key, ...] = ()

    def push_screen(self, screen: Screen[Any] | str, *arguments: Any, **named: Any) -> Any:
        """Puts a screen in front; keys are held until it can take them."""
        pushed = super().push_screen(screen, *arguments, **named)
        if isinstance(screen, Screen) and self.screen is screen:
            self._coming = screen
            # Behind the event by which the screen gives one of its widgets the focus.
            screen.call_later(self.call_later, self._release, screen)
        return pushed

    async def on_event(self, event: events.Event) -> None:
        """Handles an event; a key waits for the screen that is being opened."""
        if not isinstance(event, events.Key):
            await super().on_event(event)
            return
        if self._coming is not None and self._coming is self.screen:
            self._held += (event,)
            return
        await super().on_event(event)
        if event.is_forwarded:
            # What the key began asks its question in a worker: its first step comes before the next key.
            await asyncio.sleep(0)

    async def _release(self, screen: Screen[Any]) -> None:
        if self._coming is not screen:
            return
        self._coming = None
        held, self._held = self._held, ()
        for event in held:
            await self.on_event(events.Key(event.key, event.character))
