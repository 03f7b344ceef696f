"""The session that is open in the workbench, as its screens share it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

import orjson

from dct_tui.errors import DctError
from dct_tui.sessions import Session
from dct_tui.sessions.atomic import write_atomic
from dct_tui.sessions.decode import decode_all
from dct_tui.sessions.rack import RackEntry
from dct_tui.sessions.regular import read_regular

RACK_FILE = "rack.json"


class Workspace:
    """An open session: its folder, the rack of active features, and the features that are selected.

    Attributes:
        session: the folder.
        rack: what the chat does with which features; kept in the folder whenever it is set.
        selected: features selected on the features screen; the export screen offers them.
        on_unsaved: called the first time that the rack cannot be kept.
    """

    def __init__(self, path: Path) -> None:
        """Opens it. Raises DctError where there is no session, or it cannot be read."""
        self.session = Session.open(path)
        self.selected: frozenset[int] = frozenset()
        self.on_unsaved: Callable[[DctError], None] = lambda error: None
        self._rack = _read_rack(self.session.path / RACK_FILE)

    @property
    def path(self) -> Path:
        """The folder."""
        return self.session.path

    def is_same(self, other: Workspace) -> bool:
        """Whether that is this session, and no other that has taken its place."""
        return (self.path, self.session.record.created) == (other.path, other.session.record.created)

    @property
    def rack(self) -> tuple[RackEntry, ...]:
        """The rack of active features."""
        return self._rack

    @rack.setter
    def rack(self, entries: Iterable[RackEntry]) -> None:
        self._rack = tuple(entries)
        try:
            write_atomic(self.path / RACK_FILE, orjson.dumps({"rack": [asdict(entry) for entry in self._rack]}))
        except DctError as error:
            # A folder that cannot be written still can be chatted with: it is said once.
            tell, self.on_unsaved = self.on_unsaved, lambda error: None
            tell(error)

    def add_to_rack(self, *features: int) -> None:
        """Puts features on the rack, each by itself, at strength 1; those there already stay as they are."""
        there = {entry.features for entry in self._rack}
        self.rack = (*self._rack, *(RackEntry(features=(one,)) for one in features if (one,) not in there))


def _read_rack(path: Path) -> tuple[RackEntry, ...]:
    try:
        document = orjson.loads(read_regular(path))
        entries = document.get("rack", []) if isinstance(document, dict) else []
        return tuple(decode_all(RackEntry, entries, RACK_FILE)[0])
    except (OSError, orjson.JSONDecodeError, TypeError):
        return ()
