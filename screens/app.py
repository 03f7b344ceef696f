"""The workbench: what someone sees who types `dct-tui`."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from dct_tui.errors import DctError

from .base import BaseScreen
from .chat import ChatScreen
from .dialogs import ErrorDialog
from .engine_link import EngineFor, EngineLink
from .export import ExportScreen
from .features import FeaturesScreen
from .fit import FitScreen
from .home import Home
from .workspace import Workspace

PLACES: dict[str, type[BaseScreen[None]]] = {
    "fit": FitScreen,
    "features": FeaturesScreen,
    "chat": ChatScreen,
    "export": ExportScreen,
}


class Workbench(App[None]):
    """The application: five places, of which four belong to the open session.

    Args:
        engine_for: how an engine is come by; tests give their own.
        session: a session to open at once.
    """

    TITLE = "dct-tui"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    MODES: ClassVar[dict[str, Any]] = {"home": Home}
    DEFAULT_MODE = "home"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "go('home')", "Home", id="go.home", show=False, tooltip="Sessions"),
        Binding("2", "go('fit')", "Fit", id="go.fit", show=False, tooltip="The fit of the open session"),
        Binding("3", "go('features')", "Features", id="go.features", show=False, tooltip="Judge its features"),
        Binding("4", "go('chat')", "Chat", id="go.chat", show=False, tooltip="Chat with features switched on"),
        Binding("5", "go('export')", "Export", id="go.export", show=False, tooltip="Write vectors to files"),
        Binding("q", "back", "Back", id="back", show=False, tooltip="Back; from home: leave the workbench"),
        Binding("ctrl+q", "quit", "Quit", id="quit", show=False, tooltip="Leave the workbench; fits go on"),
    ]

    def __init__(self, engine_for: EngineFor | None = None, session: Path | None = None) -> None:
        super().__init__()
        self.link = EngineLink(engine_for)
        self.workspace: Workspace | None = None
        self._first_session = session
        # A frame of animation is paid for on the line to the terminal.
        self.animation_level = "none"

    async def on_mount(self) -> None:
        """Opens the session that was asked for."""
        if self._first_session is not None:
            await self.open_session(self._first_session)

    async def on_unmount(self) -> None:
        """Lets go of the engine, which goes on."""
        await self.link.close()

    # Sessions and places

    async def open_session(self, path: Path, place: str | None = None) -> None:
        """Opens a session and goes to a place of it: by default the features, or the fit where there are none yet.

        Raises:
            DctError: there is no session, or it cannot be read.
        """
        workspace = Workspace(path)
        await self.close_session()
        self.workspace = workspace
        for name, screen in PLACES.items():
            self.add_mode(name, screen)
        await self.switch_mode(place or ("features" if workspace.session.has_fit else "fit"))

    async def close_session(self) -> None:
        """Goes home; the screens of the open session, if there is one, are taken down."""
        await self.switch_mode("home")
        if self.workspace is not None:
            for name in PLACES:
                await self.remove_mode(name)
            self.workspace = None

    def opened(self) -> Workspace:
        """The open session; the screens that need one are only there while one is."""
        if self.workspace is None:
            raise DctError("no session is open", "open one at home")
        return self.workspace

    async def action_go(self, place: str) -> None:
        """Goes to one of the five places."""
        if place != "home" and self.workspace is None:
            self.notify("no session is open: choose one here, or press n for a new one", timeout=4)
            return
        await self.switch_mode(place)

    async def action_back(self) -> None:
        """One screen back; from home, out."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.current_mode != "home":
            await self.switch_mode("home")
        else:
            self.exit()

    async def action_key(self, action: str) -> None:
        """What a click on the line of keys does: the action in the name of what has the focus."""
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            if binding.action == action and enabled:
                await self.run_action(action, self.screen.active_bindings[binding.key].node)
                return

    # What is said

    def status(self) -> tuple[str, str]:
        """The open session and the engine's state, for the first line."""
        return (self.workspace.session.name if self.workspace else "no session", self.link.words())

    def show_error(self, error: BaseException) -> None:
        """Shows an error in front of the screen; nothing is lost by it."""
        if isinstance(error, DctError):
            self.push_screen(ErrorDialog(error.message, error.hint))
        else:
            detail = "".join(traceback.format_exception(error))
            self.push_screen(ErrorDialog(f"{type(error).__name__}: {error}", "", detail))

    async def run_action(self, *arguments: Any, **named: Any) -> bool:
        """Performs an action; a DctError of it is shown."""
        try:
            return await super().run_action(*arguments, **named)
        except DctError as error:
            self.show_error(error)
            return True
