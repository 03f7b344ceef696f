"""The rooms that jobs are done with, imported by one thread at a time.

The worker and the threads beside it need the same modules, some of which import each other in a circle. Where two
threads begin at two ends of it, Python gives one of them a module that is half made.
"""

from __future__ import annotations

import importlib
import threading

__all__ = ["import_files", "import_rooms"]

FILES = ("catalog", "summary", "download")
ROOMS = ("dct_tui.engine.work.fitting", "dct_tui.engine.work.talking", "dct_tui.jobs.forecast_job")
_ALONE = threading.Lock()


def import_rooms() -> None:
    """Imports all that models are worked on with, torch and transformers among it: seconds, the first time."""
    with _ALONE:
        for name in ROOMS:
            importlib.import_module(name)


def import_files() -> None:
    """Imports what looks at the files of models, which is light."""
    with _ALONE:
        for name in FILES:
            importlib.import_module(f"dct_tui.models.{name}")
