"""The list of sessions: where each stands, how far it is judged, when it was last used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dct_tui.inert import both_ends, one_line
from dct_tui.sessions import SessionSummary

from ..session_index import SessionIndex, SessionLine
from .line_list import Cell, LineList

GLYPHS = {
    "fitting": ("▶", "accent"),
    "interrupted": ("!", "warn"),
    "stopped": ("‖", "warn"),
    "fitted": ("●", "good"),
    "failed": ("✗", "bad"),
    "created": ("○", "dim"),
    "damaged": ("?", "bad"),
}
"""The first word of a session's state → its sign, and its style in `LineList.STYLES`."""

STATE, SLICE, FACTORS, STARRED, REJECTED, LEFT, USED, METHOD = 18, 6, 8, 4, 5, 5, 6, 13
MODEL_NARROW, MODEL = 13, 24
FACTORS_FROM, METHOD_FROM, PATH_FROM = 100, 124, 170
"""From so many columns on there is room for these. Before, the counts of what is judged add up to the factors."""


@dataclass(frozen=True)
class Row:
    """The texts of one line."""

    name: str
    state: str = ""
    slice: str = ""
    factors: str = ""
    starred: str = ""
    rejected: str = ""
    left: str = ""
    used: str = ""
    model: str = ""
    method: str = ""
    path: str = ""
    problem: str = ""
    style: str = ""


class SessionList(LineList):
    """The sessions, last used first."""

    def __init__(self, index: SessionIndex) -> None:
        super().__init__(id="session-list")
        self.index = index
        self.filter = ""
        self.shown: list[Path] = []

    @property
    def at(self) -> SessionLine | None:
        """The session under the cursor; None without one, or before it was read."""
        return self.index.line(self.shown[self.cursor]) if self.shown else None

    def gather(self) -> None:
        """Reads anew which sessions there are; the cursor stays on its session."""
        here = self.shown[self.cursor] if self.shown else None
        self.index.gather()
        self._choose(here)

    def narrow(self, text: str) -> None:
        """Shows the sessions that a filter leaves."""
        here = self.shown[self.cursor] if self.shown else None
        self.filter = text
        self._choose(here)

    def look(self, seconds: float) -> None:
        """Looks for changes on disk, and repaints the rows that look otherwise now."""
        in_view = [self.shown[row] for row in self.rows_in_view]
        changed = set(self.index.look(in_view, seconds))
        if self.filter and changed:
            self.narrow(self.filter)
        else:
            self.row_changed(*(row for row in self.rows_in_view if self.shown[row] in changed))

    def row_count(self) -> int:
        """How many are shown."""
        return len(self.shown)

    def what(self, row: int) -> Path:
        """The session's folder."""
        return self.shown[row]

    def header(self, width: int) -> Sequence[Cell]:
        """The columns' names."""
        if not self.shown:
            return ()
        return _columns(width - 1, Row("session", "state", "slice", "factors", "★", "✗", "left", "used", "model"))

    def cells(self, row: int, width: int) -> Sequence[Cell]:
        """Its name, state, model, slice, counts and when it was used; the factors and more where there is room."""
        path = self.shown[row]
        line = self.index.line(path)
        return _columns(width, Row(path.name) if line is None else _row(line))

    def empty_text(self) -> str:
        """Why there is nothing."""
        return "no session is called so" if self.filter else "no sessions yet"

    def _choose(self, here: Path | None) -> None:
        before = self.shown
        self.shown = self.index.found(self.filter)
        if here in self.shown:
            self.cursor = self.shown.index(here)
        if self.shown != before:
            self.rows_changed()


def state_words(summary: SessionSummary) -> tuple[str, str]:
    """Sign and words of a session's state, and a style."""
    first, _, rest = summary.state.partition(" ")
    glyph, style = GLYPHS.get(first, ("?", "warn"))
    far = rest.removeprefix("at ").partition(" ")[0]
    return " ".join(part for part in (glyph, first, far) if part), style


def _row(line: SessionLine) -> Row:
    summary = line.summary
    when = datetime.fromtimestamp(summary.used)
    used = f"{when:%H:%M}" if when.date() == datetime.now().date() else f"{when:%m-%d}"
    state, style = state_words(summary)
    record = summary.record
    if record is None:
        return Row(summary.name, state, problem=summary.problem.replace(f"{summary.path}/", ""), style=style)
    judged = line.unjudged is not None
    return Row(
        name=summary.name,
        state=state,
        slice=f"{record.slice.source}→{record.slice.target}",
        factors=str(record.fit.factors),
        starred=str(line.starred) if judged else "",
        rejected=str(line.rejected) if judged else "",
        left=str(line.unjudged) if judged else "",
        used=used,
        model=record.model.spec.rstrip("/").rpartition("/")[2],
        method=record.fit.method,
        path=str(summary.path.parent),
        style=style,
    )


def _columns(width: int, row: Row) -> list[Cell]:
    model = MODEL if width >= FACTORS_FROM else MODEL_NARROW
    tail = [
        (both_ends(row.model, model - 1), model),
        *([(row.method, METHOD)] if width >= METHOD_FROM else []),
        (row.slice, SLICE),
        *([(row.factors, FACTORS)] if width >= FACTORS_FROM else []),
        (row.starred, STARRED),
        (row.rejected, REJECTED),
        (row.left, LEFT),
    ]
    room = width - STATE - USED - sum(columns for _, columns in tail)
    path = room // 2 if width >= PATH_FROM else 0
    # One run of text costs less on the line than many of their own styles.
    cells: list[Cell] = [
        (both_ends(row.name, room - path - 1), room - path, ""),
        (one_line(row.state, STATE - 1), STATE, row.style),
    ]
    if row.problem:
        return [*cells, (one_line(row.problem, width - room + path - STATE), 0, "")]
    cells += [
        *((one_line(text, columns - 1), columns, "") for text, columns in tail),
        (row.used, USED, ""),
    ]
    return [*cells, (one_line(row.path, path), 0, "dim")] if path else cells
