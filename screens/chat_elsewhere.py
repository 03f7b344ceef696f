"""Replies in a session's chats that nobody here has asked for: before the line dropped, or on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dct_tui.sessions import Session

from .engine_link import EngineLink

if TYPE_CHECKING:
    from dct_tui.engine.client import Engine


def reply_under_way(link: EngineLink, session: Session, chat: str) -> tuple[Engine, int] | None:
    """The engine that makes a reply in that chat, and the reply's `JobState.id`; None where there is none."""
    path = str(session.path)
    for engine in link.held:
        for job in engine.state.jobs if engine.state is not None else ():
            if (job.do, job.session, job.chat) == ("reply", path, chat):
                return engine, job.id
    return None


def is_written_elsewhere(link: EngineLink, session: Session) -> bool:
    """Whether a process that cannot be followed writes to the chats of a session."""
    writer = session.writer("chats")
    return writer is not None and writer.pid not in {engine.state.pid for engine in link.held if engine.state}
