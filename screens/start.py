"""Opening the workbench on a terminal, and what is said when it is left."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from dct_tui.errors import DctError
from dct_tui.paths import data_root

__all__ = ["start"]

ENGINE_IDLE = "DCT_TUI_ENGINE_IDLE"
"""The variable from which an engine takes the seconds after which it ends by itself."""

PROBE_BYTES = 4096
"""As much as a disk must have left for the workbench to be opened: the smallest that a full one refuses."""


def start(session: str | None = None, theme: str | None = None, mouse: bool = True) -> None:
    """Runs the workbench until it is left.

    Args:
        session: one to open at once, by its path or name.
        theme: by name; by default as it was set or chosen last.
        mouse: whether the terminal is asked for the mouse, unless the settings say otherwise.

    Raises:
        DctError: there is no terminal, no data folder that can be written, no such session, or the workbench ended by
            an error: it names the log.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise DctError("the workbench needs a terminal", "use a command instead: dct-tui --help, or dct-tui demo")
    _check_data_folder(data_root())
    path = None
    if session is not None:
        from dct_tui.sessions import find_session

        path = find_session(session)
    from .app import Workbench
    from .config import read_config
    from .letters import has_signs

    config = read_config()
    if config.idle_minutes is not None:
        os.environ.setdefault(ENGINE_IDLE, f"{60 * config.idle_minutes:g}")
    encoding = getattr(sys.__stderr__, "encoding", None) or "ascii"  # where Textual writes
    letters = config.letters if config.letters is not None else not has_signs(os.environ, encoding)
    app = Workbench(session=path, theme=theme, config=config, letters=letters)
    app.run(mouse=mouse and config.mouse)
    if app.failure is not None:
        raise app.failure
    if line := app.farewell():
        print(line)


def _check_data_folder(root: Path) -> None:
    """Says at once what would be said with the first mark: all of it is kept there.

    Raises:
        DctError: nothing can be written to the data folder.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root) as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
    except OSError as error:
        raise DctError(
            f"the data folder {root} cannot be written: {error.strerror}",
            "make it writable or make room there, or set DCT_TUI_HOME to another folder",
        ) from error
