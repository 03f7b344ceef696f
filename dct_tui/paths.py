"""Where the program keeps its data."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

__all__ = ["data_root", "sessions_root"]


def data_root() -> Path:
    """The program's data folder: `DCT_TUI_HOME` where it is set, else the platform's place for user data.

    Nothing is created; the folder may not exist yet.
    """
    home = os.environ.get("DCT_TUI_HOME", "")
    if home:
        return Path(home).expanduser().absolute()
    return platformdirs.user_data_path("dct-tui", appauthor=False)


def sessions_root() -> Path:
    """The folder that holds one folder per session."""
    return data_root() / "sessions"
