"""The workbench: what someone sees who types `dct-tui`."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.screen import Screen

from dct_tui.errors import DctError

from .config import Config, read_config, read_state, remember
from .engine_link import EngineFor, EngineLink, FindEngines
from .forgiving import Forgiving
from .home import Home
from .keymap import key_of, shown_key
from .themes import DEFAULT_THEME, TERMINAL_THEME, THEMES
from .widgets.status_line import StatusLine

if TYPE_CHECKING:
    from .workspace import Workspace

PLACES = {"fit": "FitScreen", "features": "FeaturesScreen", "chat": "ChatScreen", "export": "ExportScreen"}
"""Places of the open session, each in the module of its name, which is imported when one first goes there."""

PROBLEMS_SAID = 3


class Workbench(Forgiving):
    """The application: five places, of which four belong to the open session.

    Args:
        engine_for: how an engine is come by; tests give their own.
        find: how engines that run already are found.
        session: a session to open at once.
        theme: by name; by default the one of `config.toml`, or that was chosen last.
        letters: whether letters stand in place of signs such as ★.
        forgiving: whether unforeseen errors are shown, rather than raised; by default in a terminal, but in no test.

    Attributes:
        problems: what of the settings cannot be meant, a line each.
    """

    TITLE = "dct-tui"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    MODES: ClassVar[dict[str, Any]] = {"home": Home}
    DEFAULT_MODE = "home"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "go('home')", "Home", id="go.home", show=False, tooltip="Sessions"),
        Binding("2", "go('fit')", "Fit", id="go.fit", show=False, tooltip="The fit of the open session"),
        Binding("3", "go('features')", "Features", id="go.features", show=False, tooltip="Judge its features"),
        Binding("4", "go('chat')", "Chat", id="go.chat", show=False, tooltip="Chat with features switched on"),
        Binding("5", "go('export')", "Export", id="go.export", show=False, tooltip="Write vectors to files"),
        Binding("question_mark", "help", "Help", id="help", show=False, tooltip="What the keys do here"),
        Binding("f1", "help", "Help", id="help.anywhere", show=False, priority=True, tooltip="What the keys do here"),
        Binding(
            "ctrl+p", "palette", "Palette", id="palette", show=False, priority=True, tooltip="All that can be done"
        ),
        Binding("L", "log", "Log", id="log", show=False, tooltip="What the engines and the workbench have logged"),
        Binding("q", "back", "Back", id="back", show=False, tooltip="Back; from home: leave the workbench"),
        Binding(
            "ctrl+q", "quit", "Quit", id="quit", show=False, priority=True, tooltip="Leave the workbench; fits go on"
        ),
    ]

    def __init__(
        self,
        engine_for: EngineFor | None = None,
        session: Path | None = None,
        *,
        find: FindEngines | None = None,
        theme: str | None = None,
        config: Config | None = None,
        letters: bool = False,
        forgiving: bool | None = None,
    ) -> None:
        super().__init__(forgiving)
        self.link = EngineLink(engine_for, find)
        self.config = config or read_config()
        self.workspace: Workspace | None = None
        self.problems = list(self.config.problems)
        self._first_session = session
        self.animation_level = "none"  # a frame of it is paid for on the line to the terminal
        self._dress(theme, letters)
        if self.config.keys:
            self.set_keymap(self.config.keys)

    async def on_mount(self) -> None:
        """Opens the session that was asked for; the rest waits until something is to be seen."""
        self.link.on_change = self._say_status
        with suppress(NotImplementedError, ValueError, RuntimeError):
            for sign in (signal.SIGTERM, signal.SIGHUP):  # so that a terminal is left as it was found
                asyncio.get_running_loop().add_signal_handler(sign, self.exit)
        self.call_after_refresh(self._settle)
        if self._first_session is not None:
            try:
                await self.open_session(self._first_session)
            except DctError as error:
                self.show_error(error)

    async def on_unmount(self) -> None:
        """Lets go of the engines, which go on."""
        await self.link.close()

    async def _settle(self) -> None:
        """What need not be there before the first screen is."""
        from .keymap_problems import keymap_problems

        if self.config.keys:
            self.problems += keymap_problems(self.config.keys)
        said = self.problems[:PROBLEMS_SAID]
        if rest := len(self.problems) - len(said):
            said.append(f"and {rest} more of the kind: {key_of('help')} lists them")
        for problem in said:
            self.notify(problem, severity="warning", timeout=15, markup=False)
        self.run_worker(self.link.find(), exit_on_error=False)

    # Sessions and places

    async def open_session(self, path: Path, place: str | None = None) -> None:
        """Opens a session and goes to a place of it: by default the features, or the fit where there are none yet.

        Raises:
            DctError: there is no session, or it cannot be read.
        """
        from dct_tui.sessions.manage import remember_session

        from .workspace import Workspace

        workspace = Workspace(path)
        remember_session(workspace.path)
        if self.workspace is None or not self.workspace.is_same(workspace):
            await self.close_session()
            self.workspace = workspace
            workspace.on_unsaved = lambda error: self.notify(f"the rack is not kept: {error.message}", markup=False)
            for name in PLACES:
                self.add_mode(name, _maker(name))
        await self.switch_mode(place or ("features" if workspace.session.has_fit else "fit"))

    async def close_session(self) -> None:
        """Goes home; the screens of the open session, if there is one, are taken down."""
        closed, self.workspace = self.workspace, None  # first: no key may go to a place that is being taken down
        await self.switch_mode("home")
        if closed is not None:
            for name in PLACES:
                await self.remove_mode(name)

    def opened(self) -> Workspace:
        """The open session; the screens that need one are only there while one is."""
        if self.workspace is None:
            raise DctError("no session is open", "open one at home")
        return self.workspace

    async def action_go(self, place: str) -> None:
        """Goes to one of the five places."""
        if place != "home" and self.workspace is None:
            self.notify(f"no session is open: choose one here, or press {key_of('home.new')} for a new one", timeout=4)
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

    def known_sessions(self) -> list[Path]:
        """The folders of the sessions that home lists."""
        home = self.get_screen_stack("home")[0]
        return home.known_sessions() if isinstance(home, Home) else []

    # What is everywhere

    def action_help(self) -> None:
        """What the keys do here; once more closes it."""
        from .help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.pop_screen()
        else:
            self.push_screen(HelpScreen(self.screen))

    def action_palette(self) -> None:
        """All that can be done now; once more closes it."""
        from .palette import PaletteScreen

        if isinstance(self.screen, PaletteScreen):
            self.pop_screen()
        else:
            self.push_screen(PaletteScreen(self.screen))

    def action_log(self) -> None:
        """The logs."""
        from .log import LogScreen

        if not isinstance(self.screen, LogScreen):
            self.push_screen(LogScreen())

    def action_theme(self, name: str) -> None:
        """Takes a theme, and remembers it."""
        self.theme = name
        remember(theme=name)

    async def action_key(self, action: str) -> None:
        """What a click on the line of keys does: the action in the name of what has the focus."""
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            if binding.action == action and enabled:
                await self.run_action(action, self.screen.active_bindings[binding.key].node)
                return

    # What is said

    def status(self) -> tuple[str, str]:
        """The open session and the engine's state, for the first line."""
        if self.workspace is None:
            return "no session", self.link.words()
        return self.workspace.session.name, self.link.words(str(self.workspace.path))

    def _say_status(self) -> None:
        if self.is_running:
            for line in self.screen.query(StatusLine):
                line.say(*self.status())

    def farewell(self) -> str:
        """What is to be known after leaving: which fits go on, in one line; empty where none does."""
        return self.link.farewell()

    # How it looks

    def get_key_display(self, binding: Binding) -> str:
        """A key as it is written everywhere."""
        return binding.key_display or shown_key(binding.key)

    def _dress(self, asked: str | None, letters: bool) -> None:
        """Takes the theme that was asked for, set, or chosen last; an unknown one gives way with a word."""
        if letters:
            from .letters import Letters

            self._filters.append(Letters())
        for theme in THEMES.values():
            self.register_theme(theme)
        for name in set(self.available_themes) - set(THEMES):
            self.unregister_theme(name)
        chosen = asked or self.config.theme or read_state().get("theme")
        if chosen is not None and chosen not in THEMES:
            self.problems.append(f"there is no theme {chosen!r:.40}; there are {', '.join(THEMES)}")
            chosen = None
        if self.no_color:
            from textual.filter import Monochrome, NoColor

            # Grey is a colour too. What is left tells by glyphs, bold and reverse.
            self._filters = [NoColor() if isinstance(kind, Monochrome) else kind for kind in self._filters]
            chosen = TERMINAL_THEME
        self.theme = chosen or DEFAULT_THEME


def _maker(place: str) -> Callable[[], Screen[Any]]:
    def make() -> Screen[Any]:
        return cast("Screen[Any]", getattr(import_module(f".{place}", __package__), PLACES[place])())

    return make
