"""The rack of the open session, as the chat shows it: what is changed there is kept, what is kept is shown."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from dct_tui.errors import DctError
from dct_tui.inert import one_line
from dct_tui.sessions import Session, replay
from dct_tui.sessions.layout import FEATURES_FILE
from dct_tui.sessions.rack import RackEntry, parse_entry

from .base import BaseScreen
from .chat_words import parse_additions
from .dialogs import EnterText
from .widgets.line_list import LineList
from .widgets.rack_list import RackList
from .workspace import Workspace

ADDING = """\
Numbers with spaces between, such as 12  7:-0.5  40:u  mean(3,4),
or starred ({starred}), selected ({selected}), mean(starred)."""
WORDS_SHOWN = 4


class ChatRack(RackList):
    """The rack of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(FeatureWords(workspace.session))
        self.workspace = workspace

    def on_mount(self) -> None:
        """Shows what is on it."""
        self.follow()

    def follow(self) -> None:
        """Shows what was put on the rack elsewhere."""
        if self.entries != self.workspace.rack:
            self.show(self.workspace.rack)

    def changed(self) -> None:
        """Keeps it, and says so."""
        if self.workspace.rack != self.entries:
            self.workspace.rack = self.entries
        super().changed()

    def on_rack_list_refused(self, event: RackList.Refused) -> None:
        """Says why."""
        self.notify(event.why, timeout=4, markup=False)

    def on_rack_list_add_asked(self) -> None:
        """Asks which features, and puts them on the rack."""
        self._attempt(self._add())

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """Asks how the entry is to be."""
        event.stop()
        self._attempt(self._edit(event.row, event.what))

    def _attempt(self, work: Coroutine[Any, Any, None]) -> None:
        cast("BaseScreen[None]", self.screen).attempt(work)

    async def _add(self) -> None:
        session, selected = self.workspace.session, self.workspace.selected
        starred = replay(session.read_marks()[0]).starred()
        parse = partial(parse_additions, count=session.feature_count, starred=starred, selected=selected)
        detail = ADDING.format(starred=len(starred), selected=len(selected))
        text = await self.app.push_screen_wait(EnterText("Add to the rack", detail=detail, check=parse))
        if text is None:
            return
        there = {entry.features for entry in self.entries}
        new = [entry for entry in parse(text) if entry.features not in there]
        self.show((*self.entries, *new))
        self.go_to(len(self.entries) - 1)
        self.changed()

    async def _edit(self, row: int, before: RackEntry) -> None:
        count = self.workspace.session.feature_count

        def parse(text: str) -> RackEntry:
            entry = parse_entry(text)
            entry.check(count)
            return entry

        title = "The entry, such as 12:+1.3, 40:u or mean(3,4):-0.5"
        text = await self.app.push_screen_wait(EnterText(title, str(before), check=parse))
        if text is not None and row < len(self.entries):
            self.put(row, replace(parse(text), on=before.on))


class FeatureWords:
    """The words that a feature promotes, read when they are first asked for and whenever they were written anew."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._words: dict[int, str] = {}
        self._seen: object = None

    def __call__(self, feature: int) -> str:
        """Empty where nothing is known."""
        if feature not in self._words and (seen := _written(self.session.path / FEATURES_FILE)) != self._seen:
            self._seen = seen
            self._words = self._read()
        return self._words.get(feature, "")

    def _read(self) -> dict[int, str]:
        try:
            records = self.session.read_features()
        except DctError:
            return {}
        return {record["index"]: one_line(" ".join(record["words"][:WORDS_SHOWN]), 80) for record in records}


def _written(path: Path) -> object:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
