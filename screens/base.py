"""What every screen of the workbench has: its two lines, a slow pulse, and errors that are shown and not fatal."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from textual.app import ComposeResult
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker

from dct_tui.errors import DctError
from dct_tui.sessions.folder import check_still_there

from .widgets.key_line import KeyLine
from .widgets.status_line import StatusLine

if TYPE_CHECKING:
    from .app import Workbench

PULSE_S = 0.5
WIDE = 110

Result = TypeVar("Result")


class BaseScreen(Screen[Result], Generic[Result]):
    """A full screen. A subclass gives `PLACE`, and composes its body in `body()`.

    `pulse()` is called twice a second while the screen is in front, and must repaint only what changed: an idle screen
    writes nothing.
    """

    PLACE: ClassVar[str] = "home"
    _told_gone = False
    # One pane below, two from here on; `-wide` stands on the screen's classes.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012  # as Textual declares it

    def compose(self) -> ComposeResult:
        """Status above, keys below."""
        yield StatusLine(self.PLACE)
        yield from self.body()
        yield KeyLine()

    def body(self) -> ComposeResult:
        """What stands between the two lines."""
        raise NotImplementedError

    def pulse(self) -> None:
        """Looks at what may have changed on disk."""

    @property
    def unsent(self) -> bool:
        """Whether something was typed here that leaving the session would lose."""
        return False

    def on_mount(self) -> None:
        """Starts the pulse."""
        self._timer = self.set_interval(PULSE_S, self._beat)

    def on_screen_resume(self) -> None:
        """In front again: looks at once."""
        self.call_after_refresh(self._beat)

    @property
    def workbench(self) -> Workbench:
        """The app."""
        return cast("Workbench", self.app)

    @property
    def is_wide(self) -> bool:
        """Whether there is room for two panes."""
        return self.size.width >= WIDE

    def attempt(self, work: Coroutine[Any, Any, Any], group: str = "default", *, alone: bool = False) -> Worker[None]:
        """Runs a coroutine beside the screen; an error of it is shown to the person.

        Args:
            group: of work that belongs together.
            alone: whether it takes the place of what is running in its group.
        """
        return self.run_worker(self._attempt(work), group=group, exclusive=alone, exit_on_error=True)

    async def _attempt(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except Exception as error:
            self.workbench.show_error(error)

    async def _dispatch_message(self, message: Message) -> None:
        """Handles a message; an error that a person can act on is shown, rather than ending the program."""
        try:
            await super()._dispatch_message(message)
        except DctError as error:
            self.workbench.show_error(error)

    def _beat(self) -> None:
        closed = self.PLACE != "home" and self.workbench.workspace is None
        if self.app.screen is not self or closed:
            return
        try:
            self.query_one(StatusLine).say(*self.workbench.status())
            if not self._is_gone():
                self.pulse()
        except Exception as error:
            # Once, not twice a second.
            self._timer.pause()
            self.workbench.show_error(error)

    def _is_gone(self) -> bool:
        """Whether the folder of the open session is gone: home then, unless something would be lost by that."""
        if self.PLACE == "home":
            return False
        try:
            check_still_there(self.workbench.opened().path)
        except DctError as error:
            self._timer.pause()
            if self._told_gone:  # closing the dialog brings this screen in front again
                return True
            self._told_gone = True
            # Not as work of this screen, which goes.
            self.workbench.run_worker(self._leave_what_is_gone(error))
            return True
        return False

    async def _leave_what_is_gone(self, error: DctError) -> None:
        app = self.workbench
        if not self.unsent:
            await app.close_session()
        app.show_error(error)
