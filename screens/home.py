"""Home: the sessions there are, and how to make the first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from dct_tui.errors import DctError

from .base import BaseScreen
from .keymap import with_keys
from .widgets.filter_line import FILTER_WORDS, FilterLine
from .widgets.line_list import LineList

if TYPE_CHECKING:
    from .session_index import SessionLine
    from .widgets.session_list import SessionList

FIRST_LOOK_S = 0.08

WELCOME = """
Welcome. dct-tui finds hidden behaviours in language models. From a few
ordinary prompts it learns directions in a model's residual stream. You read
what the model says under each, star what is worth it, and chat with it.

   {home.builtin}   try it on the built-in model: it was trained to hide twelve
       behaviours, and finding them takes about a minute on two cores
   {home.new}   choose a model of yours: a folder, or one of your Hugging Face cache
   {home.open_path}   open a session that lies somewhere else

A fit goes on when you leave, and is listed here when you return. Everything
is kept in session folders. {help} helps anywhere, {palette} finds every command.
"""


NEED_SESSION = {"resume", "duplicate", "rename", "delete", "details", "copy"}


class Home(BaseScreen[None]):
    """The sessions on this machine, the last used first. One is a fit of a model: its features, samples, your marks and
    your chats. Open one to judge and try its features, or make a new one.

    ▶ is being fitted now, ● fitted, ‖ stopped, ! interrupted (its process died), ○ not begun, ✗ failed, ? damaged;
    ★ and ✗ count what you starred and rejected, left what is not judged yet. Deleted sessions lie in the trash folder.
    """

    PLACE: ClassVar[str] = "home"
    CSS_PATH = "home.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "New", id="home.new", tooltip="Fit a model: choose it, its layers and prompts"),
        Binding("b", "builtin", "Built-in", id="home.builtin", tooltip="A new session on the built-in model"),
        Binding("r", "resume", "Resume", id="home.resume", tooltip="Go on with a fit that was stopped or interrupted"),
        Binding("d", "duplicate", "Duplicate", id="home.duplicate", tooltip="A new session of the same settings"),
        Binding("R", "rename", "Rename", id="home.rename", show=False, tooltip="Rename the session's folder"),
        Binding(
            "D", "delete", "Delete", id="home.delete", show=False, tooltip="Move the session to the trash, if sure"
        ),
        Binding(
            "U", "restore", "Restore", id="home.restore", show=False, tooltip="Bring a session back from the trash"
        ),
        Binding("o", "open_path", "Open path", id="home.open_path", show=False, tooltip="Open a session anywhere"),
        Binding(
            "slash", "filter", "Filter", id="home.filter", tooltip="Show those with these words; ! before one: without"
        ),
        Binding("i", "details", "Details", id="home.details", tooltip="All that is known of the session"),
        Binding("y", "copy", "Copy path", id="home.copy", show=False, tooltip="Copy the path of the session"),
        Binding("f5", "gather", "Refresh", id="home.refresh", show=False, tooltip="Put the list in order again"),
        Binding("escape", "unfilter", "All", id="home.unfilter", show=False, tooltip="Show all sessions again"),
    ]

    def body(self) -> ComposeResult:
        """The welcome, or the list; a line to filter by below it."""
        from .session_index import SessionIndex
        from .widgets.session_list import SessionList

        sessions = SessionList(SessionIndex())
        sessions.gather()
        welcome = Static(with_keys(WELCOME), id="welcome", markup=False)
        welcome.display = not sessions.shown
        yield welcome
        yield sessions
        yield FilterLine(placeholder=with_keys(FILTER_WORDS), id="filter")

    def on_screen_resume(self) -> None:
        """Puts those used last in front."""
        self.action_gather()
        super().on_screen_resume()

    def pulse(self) -> None:
        """Looks for sessions that came or went, and at a few that may have changed."""
        if self.sessions.index.came_or_went():
            self.action_gather()
        else:
            self.sessions.look(FIRST_LOOK_S / 4)

    @property
    def sessions(self) -> SessionList:
        """The list."""
        from .widgets.session_list import SessionList

        return self.query_one(SessionList)

    def known_sessions(self) -> list[Path]:
        """The folders of all sessions, in their order."""
        return list(self.sessions.index.folders)

    def here(self) -> SessionLine:
        """The session under the cursor. Raises DctError where there is none."""
        line = self.sessions.at
        if line is None:
            hint = "press {home.builtin} to try the built-in model, or {home.new} for yours"
            raise DctError("there is no session here yet", with_keys(hint))
        return line

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a session there is nothing to resume, or to rename."""
        # Asked before there is a list, too.
        listed = self.query("SessionList").results()
        return action not in NEED_SESSION or any(one.shown for one in listed if hasattr(one, "shown"))

    # What the keys do

    def action_gather(self) -> None:
        """Reads which sessions there are, in order of their last use."""
        self.sessions.gather()
        self.sessions.look(FIRST_LOOK_S)
        empty = not self.sessions.index.folders
        if self.query_one("#welcome").display != empty:
            self.query_one("#welcome").display = empty
            self.refresh_bindings()

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """Opens the session: its features, or its fit where that is still going on."""
        self.attempt(self._open(event.what))

    def action_new(self) -> None:
        """A new session, beginning with its model."""
        from .model import ModelScreen

        self.app.push_screen(ModelScreen())

    def action_builtin(self) -> None:
        """A new session on the built-in model."""
        from .layers import LayersScreen

        self.app.push_screen(LayersScreen("builtin"))

    def action_duplicate(self) -> None:
        """A new session that begins with the settings of this one."""
        from .layers import LayersScreen

        record = self.here().summary.record
        if record is None:
            raise DctError("this session cannot be read", with_keys("{home.details} says why"))
        self.app.push_screen(LayersScreen(record.model.spec, prefill=record))

    def action_resume(self) -> None:
        """Goes on with the fit."""
        self.attempt(self._resume(self.here()), "resume")

    def action_open_path(self) -> None:
        """Opens a session by its path."""
        self.attempt(self._open_typed())

    def action_rename(self) -> None:
        """Asks for another name."""
        self.attempt(self._rename(self.here()))

    def action_delete(self) -> None:
        """Asks, then moves the session to the trash."""
        self.attempt(self._delete(self.here()))

    def action_restore(self) -> None:
        """Asks which, then brings it back."""
        self.attempt(self._restore())

    def action_details(self) -> None:
        """Shows all that is known of the session."""
        from .dialogs import ShowText
        from .session_details import details

        line = self.here()
        self.app.push_screen(ShowText(line.summary.name, details(line)))

    async def action_copy(self) -> None:
        """Copies its path."""
        from .clipboard import copy

        self.notify(await copy(self.app, str(self.here().summary.path)), timeout=4, markup=False)

    # Filtering

    def action_filter(self) -> None:
        """Asks for words."""
        self.query_one(FilterLine).begin()

    def action_unfilter(self) -> None:
        """Shows all again."""
        self.query_one(FilterLine).put("")
        self._narrowed("")

    def on_input_changed(self, event: FilterLine.Changed) -> None:
        """Narrows the list with every key."""
        self.sessions.narrow(event.value)

    def on_input_submitted(self, event: FilterLine.Submitted) -> None:
        """Back to the list, narrowed."""
        self.query_one(FilterLine).put(event.value)
        self._narrowed(event.value)

    def on_filter_line_left(self, event: FilterLine.Left) -> None:
        """Back to the list as it was before."""
        self._narrowed(event.line.value)

    def _narrowed(self, text: str) -> None:
        self.sessions.narrow(text)
        self.sessions.focus()

    # What takes its time

    async def _open(self, path: Path) -> None:
        await self.workbench.open_session(path)

    async def _open_typed(self) -> None:
        from dct_tui.sessions import find_session

        from .dialogs import EnterText
        from .paths_typed import PathSuggester

        typed = await self.app.push_screen_wait(
            EnterText(
                "Open which session?", detail="its folder, or its name", check=find_session, suggester=PathSuggester()
            )
        )
        if typed is not None:
            await self._open(find_session(typed))

    async def _resume(self, line: SessionLine) -> None:
        from .fit_control import resume

        summary = line.summary
        if summary.record is None:
            raise DctError(f"{summary.name} cannot be read", summary.problem)
        if summary.writer is None and summary.record.status == "fitted":
            hint = "{list.choose} opens it; {home.duplicate} makes a new session of its settings"
            raise DctError(f"{summary.name} is fitted", with_keys(hint))
        await self.workbench.open_session(summary.path, "fit")
        if summary.writer is None:
            await resume(self.workbench.link, self.workbench.opened().session)

    async def _rename(self, line: SessionLine) -> None:
        from dct_tui.sessions.layout import check_name
        from dct_tui.sessions.manage import rename_session

        from .dialogs import EnterText

        summary = line.summary
        name = await self.app.push_screen_wait(EnterText("Rename it to", summary.name, check=check_name))
        if name is not None:
            await self._let_go_of(summary.path)
            rename_session(summary.path, name)
            self.action_gather()

    async def _delete(self, line: SessionLine) -> None:
        from dct_tui.sessions.manage import trash_session

        from .dialogs import Confirm

        path = line.summary.path
        trash = with_keys("It goes to the trash; {home.restore} brings it back.")
        told = f"{path}\n{line.starred} starred, {line.rejected} rejected. {trash}"
        if await self.app.push_screen_wait(Confirm(f"Delete {path.name}?", told)):
            await self._let_go_of(path)
            lies = trash_session(path)
            self.action_gather()
            self.notify(f"in the trash: {lies}", timeout=4, markup=False)

    async def _restore(self) -> None:
        from dct_tui.sessions.manage import list_trash, restore_session

        from .dialogs import ChooseOne

        trashed = list_trash()
        if not trashed:
            raise DctError("the trash is empty")
        lines = [f"{one.at[:16].replace('T', ' ')}  {one.origin.name}" for one in trashed]
        choice = await self.app.push_screen_wait(ChooseOne("Bring back which session?", lines))
        if choice is not None:
            restore_session(trashed[choice])
            self.action_gather()

    async def _let_go_of(self, path: Path) -> None:
        """Closes the open session before its folder goes elsewhere."""
        workspace = self.workbench.workspace
        if workspace is not None and workspace.path == path:
            await self.workbench.close_session()
