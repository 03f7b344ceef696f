"""Home: the sessions there are, and how to make the first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from dct_tui.inert import columns, one_line
from dct_tui.sessions import SessionSummary, list_sessions

# A line of 76 columns, and padding: what a terminal of 80 holds.
NAME_COLUMNS = 36
STATE_COLUMNS = 25

WELCOME = """\
[b]dct-tui[/b] finds hidden behaviours in language models.

The screens for choosing a model, watching a fit, judging features and chatting are on their way.
Until they are here, everything is done from the command line:

  [b]dct-tui demo[/b]                      find what the built-in model hides
  [b]dct-tui fit[/b] MODEL --prompts FILE  fit a transcoder on a model of yours
  [b]dct-tui features[/b] SESSION          what was learned
  [b]dct-tui sample[/b] SESSION            what the model says under each feature
  [b]dct-tui chat[/b] SESSION --steer 12:1 talk to it with a feature switched on
  [b]dct-tui export[/b] SESSION --features 12  write it to files
"""


class Home(Screen[None]):
    """The sessions on this machine, newest first, read from their folders."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "refresh_sessions", "Refresh", id="home.refresh", tooltip="Read the session folders again"),
        Binding("j", "scroll(1)", "Down", id="home.down", show=False, tooltip="Scroll down"),
        Binding("k", "scroll(-1)", "Up", id="home.up", show=False, tooltip="Scroll up"),
    ]
    AUTO_FOCUS = "#sessions"

    def compose(self) -> ComposeResult:
        """Welcome above, sessions below."""
        yield Static(WELCOME, id="welcome")
        yield Static("Sessions", id="heading")
        with VerticalScroll(id="sessions"):
            # Names of folders are shown as they are: brackets in them are no markup.
            yield Static(id="session-list", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Reads the sessions."""
        self.action_refresh_sessions()

    def action_refresh_sessions(self) -> None:
        """Reads the session folders again."""
        self.query_one("#session-list", Static).update(_listing(list_sessions()))

    def action_scroll(self, lines: int) -> None:
        """Scrolls the sessions."""
        self.query_one("#sessions").scroll_relative(y=lines, animate=False)


def _listing(sessions: Sequence[SessionSummary]) -> str:
    if not sessions:
        return "None yet. Leave with q and type: dct-tui demo"
    return "\n".join(_line(summary) for summary in sessions)


def _line(summary: SessionSummary) -> str:
    used = datetime.fromtimestamp(summary.used).strftime("%m-%d %H:%M")
    name = one_line(summary.name, NAME_COLUMNS)
    state = f"damaged: {summary.problem}" if summary.record is None else summary.state
    return f"{used}  {name}{' ' * (NAME_COLUMNS - columns(name))}  {one_line(state, STATE_COLUMNS)}"
