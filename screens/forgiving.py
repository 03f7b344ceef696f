"""What goes wrong is shown, and the workbench goes on; where it cannot, it ends with one line that names the log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from dct_tui.errors import DctError

from .typed_ahead import TypedAhead

__all__ = ["Forgiving"]


class Forgiving(TypedAhead):
    """An app whose actions may fail.

    Args:
        forgiving: whether unforeseen errors are shown, rather than raised; by default in a terminal, but in no test.

    Attributes:
        failure: by what it ended, if it did not end in order.
    """

    def __init__(self, forgiving: bool | None = None) -> None:
        super().__init__()
        self.failure: DctError | None = None
        self._forgiving = forgiving

    def show_error(self, error: BaseException) -> None:
        """Shows an error in front of the screen; nothing is lost by it. One that no one foresaw is logged as well.

        Raises:
            BaseException: the error itself, unforeseen in a workbench that is not forgiving.
        """
        from .dialogs import ErrorDialog
        from .workbench_log import log_error, workbench_log

        if isinstance(error, DctError):
            self.push_screen(ErrorDialog(error.message, error.hint))
            return
        detail = log_error(error)
        if not (self._forgiving if self._forgiving is not None else not self.is_headless):
            raise error
        hint = f"nothing that was kept is lost; it is in the log, {workbench_log()}"
        self.push_screen(ErrorDialog(f"{type(error).__name__}: {error}", hint, detail))

    async def attempt(self, work: Callable[[], Awaitable[Any]]) -> None:
        """Does something; an error of it is shown."""
        try:
            await work()
        except Exception as error:
            self.show_error(error)

    async def run_action(self, *arguments: Any, **named: Any) -> bool:
        """Performs an action; an error of it is shown."""
        try:
            return await super().run_action(*arguments, **named)
        except Exception as error:
            self.show_error(error)
            return True

    def _fatal_error(self) -> None:
        # Textual would print every local variable of every frame, texts of models among them.
        from .workbench_log import log_error, workbench_log

        log_error(self._exception or RuntimeError("unknown"))
        self.failure = DctError(
            f"the workbench ended by an error ({type(self._exception).__name__}: {self._exception})",
            f"what was kept is kept, and fits go on; please report what is in {workbench_log()}",
        )
        self._close_messages_no_wait()
