"""Work that waits until nothing has asked for it anew for a moment, so that holding a key asks for it once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.timer import Timer

    from .base import BaseScreen


class Rest:
    """Does the last thing that was asked for, after a moment; what of it is still running then gives way.

    Args:
        screen: whose work it is.
        group: of its workers.
        seconds: the moment.
    """

    def __init__(self, screen: BaseScreen[Any], group: str, seconds: float) -> None:
        self._screen, self._group, self._seconds = screen, group, seconds
        self._timer: Timer | None = None

    def then(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Asks for this, in place of what was asked for before."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._screen.set_timer(self._seconds, lambda: self._begin(work))

    def _begin(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._screen.attempt(work(), self._group, alone=True)
