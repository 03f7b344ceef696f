"""The session of a fit that waits: it is there before the fit's turn, so that the fit outlives its engine.

Imports no torch: it is asked when a fit is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from dct_tui.errors import DctError
from dct_tui.sessions import Session
from dct_tui.sessions.folder import unmake_session_folder
from dct_tui.sessions.layout import RECORD_FILE, lock_file

from ..messages import StartFit
from .holder import Holder

__all__ = ["make_session"]


def make_session(request: StartFit, path: Path, holder: Holder) -> Callable[[], None] | None:
    """Makes the session, where its model is the one that is held: others can be described only once they are opened.

    Returns:
        what takes it away again while nothing is in it; None where none was made. What is wrong with the fit, it says
        itself when its turn comes.
    """
    with suppress(DctError, OSError):
        lm = holder.held_for(request.model)
        if lm is None:
            return None
        from dct_tui.jobs.request import record_of

        from .choices import fit_of

        session = Session.create(path, record_of(lm, fit_of(request.fit), path.name))
        return None if session.resumed else partial(_take_away, session)
    return None


def _take_away(session: Session) -> None:
    with suppress(DctError, OSError):
        with session.writing():
            ours = {entry.name for entry in session.path.iterdir()} <= {RECORD_FILE, lock_file("fit")}
            if not ours or session.reload().status != "created":
                return
            (session.path / RECORD_FILE).unlink()
        unmake_session_folder(session.path)
