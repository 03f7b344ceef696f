"""Home: the sessions there are, and how to make the first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from dct_tui.inert import one_line
from dct_tui.sessions import SessionSummary, list_sessions

from .base import BaseScreen
from .widgets.line_list import Cell, LineList


class SessionList(LineList):
    """The sessions, last used first."""

    sessions: Sequence[SessionSummary] = ()

    def row_count(self) -> int:
        """How many there are."""
        return len(self.sessions)

    def cells(self, row: int, width: int) -> Sequence[Cell]:
        """Last used, name, state."""
        summary = self.sessions[row]
        used = datetime.fromtimestamp(summary.used).strftime("%m-%d %H:%M")
        state = f"damaged: {summary.problem}" if summary.record is None else summary.state
        return [(used, 13, "dim"), (one_line(summary.name, 40), 42, ""), (one_line(state, width), 0, "")]

    def empty_text(self) -> str:
        """What to do first."""
        return "No sessions yet."


class Home(BaseScreen[None]):
    """The sessions on this machine, newest first, read from their folders."""

    PLACE: ClassVar[str] = "home"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "read_again", "Refresh", id="home.refresh", tooltip="Read the session folders again"),
    ]

    def body(self) -> ComposeResult:
        """The list."""
        yield SessionList()

    def on_mount(self) -> None:
        """Reads the sessions."""
        super().on_mount()
        self.action_read_again()

    def known_sessions(self) -> list[Path]:
        """The folders."""
        return [summary.path for summary in self.query_one(SessionList).sessions]

    def action_read_again(self) -> None:
        """Reads the session folders again."""
        listed = self.query_one(SessionList)
        listed.sessions = list_sessions()
        listed.rows_changed()

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """Opens the session."""
        summary = self.query_one(SessionList).sessions[event.row]
        self.attempt(self.workbench.open_session(summary.path))
