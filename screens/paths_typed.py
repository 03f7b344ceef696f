"""Completion of paths that are typed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from textual.suggester import Suggester

__all__ = ["PathSuggester"]

MOST = 5000


class PathSuggester(Suggester):
    """Offers the rest of the first path that begins as typed; right takes it. `~` may begin it.

    Args:
        folders_only: whether files are offered too.
    """

    def __init__(self, *, folders_only: bool = True) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.folders_only = folders_only

    async def get_suggestion(self, value: str) -> str | None:
        """The whole line with the path filled in; None where nothing begins so."""
        if not value:
            return None
        folder, _, beginning = value.rpartition("/")
        with suppress(OSError, RuntimeError, ValueError):
            looked = Path(f"{folder}/" if "/" in value else ".").expanduser()
            with os.scandir(looked) as entries:
                found = sorted(
                    entry.name + "/" * entry.is_dir()
                    for _, entry in zip(range(MOST), entries, strict=False)
                    if entry.name.startswith(beginning)
                    and (beginning or not entry.name.startswith("."))
                    and (entry.is_dir() or not self.folders_only)
                )
            if found:
                return value + found[0][len(beginning) :]
        return None
