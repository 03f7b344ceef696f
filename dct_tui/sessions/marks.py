"""Marks: a person's judgement of features, kept as events so that everything can be undone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from .record import now

__all__ = ["FeatureMarks", "Mark", "MarkKind", "MarkLog", "MarkState", "Verdict", "replay"]

MarkKind: TypeAlias = Literal["star", "reject", "clear", "tag", "untag", "note", "undo", "redo"]
Verdict: TypeAlias = Literal["starred", "rejected"]

_VERDICTS: dict[MarkKind, Verdict | None] = {"star": "starred", "reject": "rejected", "clear": None}


@dataclass(frozen=True)
class Mark:
    """One event. `value` is the tag or the note; `undo` and `redo` name no features: they act on the last event."""

    kind: MarkKind
    features: tuple[int, ...] = ()
    value: str = ""
    at: str = field(default_factory=now)

    def encode(self) -> dict[str, Any]:
        """The record for the journal."""
        return asdict(self)


@dataclass(frozen=True)
class FeatureMarks:
    """What is marked on one feature now."""

    verdict: Verdict | None = None
    tags: frozenset[str] = frozenset()
    note: str = ""


BLANK = FeatureMarks()


@dataclass(frozen=True)
class MarkState:
    """What is marked on every feature now; features without a mark are absent."""

    features: dict[int, FeatureMarks]
    undoable: int
    """How many events can be undone."""
    redoable: int

    def starred(self) -> list[int]:
        """The features with a star, in order."""
        return sorted(index for index, marks in self.features.items() if marks.verdict == "starred")

    def rejected(self) -> list[int]:
        """The rejected features, in order."""
        return sorted(index for index, marks in self.features.items() if marks.verdict == "rejected")


class MarkLog:
    """The state that events lead to, one event after the other.

    An undo takes back the last event that still counts, a redo the last undo; a new event forgets what could be
    redone.

    Attributes:
        features: what is marked on every feature now; features without a mark are absent.
    """

    def __init__(self) -> None:
        self.features: dict[int, FeatureMarks] = {}
        # Each with what its features had before it.
        self._done: list[tuple[Mark, dict[int, FeatureMarks]]] = []
        self._undone: list[Mark] = []

    def apply(self, mark: Mark) -> tuple[int, ...]:
        """Takes one more event in. Returns the features that it touched."""
        if mark.kind == "undo":
            if not self._done:
                return ()
            last, before = self._done.pop()
            self._undone.append(last)
            for index, marks in before.items():
                self._set(index, marks)
            return tuple(before)
        if mark.kind == "redo":
            return self._do(self._undone.pop()) if self._undone else ()
        self._undone.clear()
        return self._do(mark)

    def of(self, index: int) -> FeatureMarks:
        """What is marked on a feature now."""
        return self.features.get(index, BLANK)

    @property
    def undoable(self) -> Mark | None:
        """The event that an undo would take back."""
        return self._done[-1][0] if self._done else None

    @property
    def redoable(self) -> Mark | None:
        """The event that a redo would bring back."""
        return self._undone[-1] if self._undone else None

    @property
    def state(self) -> MarkState:
        """A picture of it, which further events do not change."""
        return MarkState(dict(self.features), len(self._done), len(self._undone))

    def _do(self, mark: Mark) -> tuple[int, ...]:
        before = {index: self.of(index) for index in mark.features}
        self._done.append((mark, before))
        for index, marks in before.items():
            self._set(index, _after(marks, mark))
        return tuple(before)

    def _set(self, index: int, marks: FeatureMarks) -> None:
        if marks == BLANK:
            self.features.pop(index, None)
        else:
            self.features[index] = marks


def replay(marks: Iterable[Mark]) -> MarkState:
    """The state that a sequence of events leads to."""
    log = MarkLog()
    for mark in marks:
        log.apply(mark)
    return log.state


def _after(marks: FeatureMarks, mark: Mark) -> FeatureMarks:
    if mark.kind == "note":
        return FeatureMarks(marks.verdict, marks.tags, mark.value)
    if mark.kind == "tag":
        return FeatureMarks(marks.verdict, marks.tags | {mark.value}, marks.note)
    if mark.kind == "untag":
        return FeatureMarks(marks.verdict, marks.tags - {mark.value}, marks.note)
    return FeatureMarks(_VERDICTS[mark.kind], marks.tags, marks.note)
