"""An end to patterns that would search for years: Python's regexes have none of their own."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from ..errors import DctError

LIMIT_S = 0.5


class _TimeIsUp(Exception):  # noqa: N818
    pass


@contextlib.contextmanager
def time_limit(seconds: float = LIMIT_S) -> Iterator[None]:
    """Ends what is searched inside the `with` block after that time. Nothing else may be done inside.

    The alarm is a signal: the regex engine looks for signals as it searches, and only the main thread gets them. In
    another thread there is no limit.

    Raises:
        DctError: the time was up.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = True

    def ring(number: int, frame: FrameType | None) -> None:
        # An alarm that comes when the search has just ended must not end what comes after it.
        if armed:
            raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    except _TimeIsUp:
        raise DctError(
            "the pattern takes too long on these texts", "repeat less in it: no + or * inside a group with + or *"
        ) from None
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
