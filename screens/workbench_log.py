"""The workbench's own log: what went wrong, with what a developer needs, in a file and not on the screen."""

from __future__ import annotations

import traceback
from contextlib import suppress
from pathlib import Path

from dct_tui.errors import DctError
from dct_tui.paths import data_root
from dct_tui.sessions.record import now

__all__ = ["log_error", "log_line", "logs_folder", "workbench_log"]

LONGEST = 2**20
"""Bytes after which the log begins anew; the one before is kept."""


def logs_folder() -> Path:
    """Where the logs of the workbench and of the engines lie."""
    return data_root() / "logs"


def workbench_log() -> Path:
    """The workbench's log."""
    return logs_folder() / "workbench.log"


def log_line(text: str) -> None:
    """Adds a line, or several. Where that cannot be, nothing is said: there is nowhere left to say it."""
    with suppress(OSError, DctError):
        path = workbench_log()
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LONGEST:
            path.replace(path.with_suffix(".old.log"))
        with path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(f"{now()} {text.rstrip()}\n")


def log_error(error: BaseException) -> str:
    """Adds an error with its traceback, which is also what is given back."""
    detail = "".join(traceback.format_exception(error))
    log_line(detail)
    return detail
