"""The logs: what the engines and the workbench have written, followed as it comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from dct_tui.inert import inert, one_line

from .base import BaseScreen
from .clipboard import copy
from .widgets.line_list import Cell, LineList
from .workbench_log import logs_folder, workbench_log

__all__ = ["LogScreen"]

LINES = 5000
STEP = 256 * 1024
WIDEST = 2000


class _Lines(LineList):
    """The last lines of a log."""

    highlight = 1

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=LINES)
        self.left = 0

    def row_count(self) -> int:
        return len(self.lines)

    def cells(self, row: int, width: int) -> Sequence[Cell]:
        return [(self.lines[row][self.left :], 0, "")]

    def empty_text(self) -> str:
        return "nothing is logged here"


class LogScreen(BaseScreen[None]):
    """What the engines and the workbench have logged, the newest at the end; a file of each engine, and one of our own.

    Reading it is needed only where something went wrong: an engine's last lines say why it ended.
    """

    PLACE: ClassVar[str] = "log"
    CSS = "LogScreen #log-name { height: 1; color: $text-muted; padding: 0 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "next_file(1)", "Next file", id="log.next", tooltip="The next log file, the newest first"),
        Binding("F", "next_file(-1)", "Previous file", id="log.previous", show=False, tooltip="The log file before"),
        Binding("l,right", "shift(20)", "Right", id="log.right", show=False, tooltip="To the right in long lines"),
        Binding("h,left", "shift(-20)", "Left", id="log.left", show=False, tooltip="Back to the left"),
        Binding("y", "copy", "Copy", id="log.copy", tooltip="Copy what of the log is shown here"),
        Binding("escape", "app.back", "Back", id="log.back", show=False, tooltip="Back"),
    ]

    def __init__(self, file: Path | None = None) -> None:
        super().__init__()
        self.file = file
        self._offset = 0

    def body(self) -> ComposeResult:
        """The file's name, and its lines."""
        yield Static("", id="log-name", markup=False)
        yield _Lines()

    def on_mount(self) -> None:
        """Opens the newest, at its end."""
        super().on_mount()
        files = log_files()
        self._open(self.file or (files[0] if files else workbench_log()))

    def pulse(self) -> None:
        """Takes what has come."""
        lines = self.query_one(_Lines)
        follows = lines.cursor >= len(lines.lines) - 1
        text = self._come()
        if not text:
            return
        lines.lines.extend(inert(line.expandtabs())[:WIDEST] for line in text.splitlines())
        lines.rows_changed()
        if follows:
            lines.action_go(-1)

    def action_next_file(self, step: int) -> None:
        """Goes to another log file."""
        files = log_files()
        if files:
            at = files.index(self.file) if self.file in files else -step
            self._open(files[(at + step) % len(files)])

    def action_shift(self, columns: int) -> None:
        """Moves long lines."""
        lines = self.query_one(_Lines)
        lines.left = max(0, min(lines.left + columns, WIDEST))
        lines.refresh()

    async def action_copy(self) -> None:
        """Copies what is shown."""
        self.notify(await copy(self.app, "\n".join(self.query_one(_Lines).lines)), timeout=4, markup=False)

    def _open(self, file: Path) -> None:
        self.file, self._offset = file, 0
        lines = self.query_one(_Lines)
        lines.lines.clear()
        lines.left = lines.cursor = 0
        lines.rows_changed()
        files = log_files()
        place = f"{files.index(file) + 1} of {len(files)}" if file in files else "no file yet"
        self.query_one("#log-name", Static).update(one_line(f"{file}   {place}", 400))
        self.pulse()

    def _come(self) -> str:
        """What was added since last time; of a long file, its end."""
        if self.file is None:
            return ""
        try:
            with self.file.open("rb") as file:
                size = file.seek(0, 2)
                if size < self._offset:
                    self._offset = 0  # It was begun anew.
                start = max(self._offset, size - STEP)
                file.seek(start)
                data = file.read(STEP)
        except OSError:
            return ""
        end = data.rfind(b"\n") + 1
        self._offset = start + end
        return data[:end].decode("utf-8", errors="replace").replace("\r", "\n")


def log_files() -> list[Path]:
    """The log files, last written first."""
    return sorted(logs_folder().glob("*.log"), key=lambda path: (-path.stat().st_mtime, path.name))
