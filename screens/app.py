"""The workbench: what someone sees who types `dct-tui`."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from .home import Home


class Workbench(App[None]):
    """The application: it opens the home screen."""

    TITLE = "dct-tui"
    CSS_PATH = "home.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit", id="quit", tooltip="Leave the workbench"),
    ]

    def on_mount(self) -> None:
        """Shows home."""
        self.push_screen(Home())
