"""Marks: a person's judgement of features, kept as events so that everything can be undone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from .record import now

__all__ = ["FeatureMarks", "Mark", "MarkKind", "MarkState", "Verdict", "replay"]

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


def replay(marks: Iterable[Mark]) -> MarkState:
    """The state that a sequence of events leads to.

    An undo takes back the last event that still counts, a redo the last undo; a new event forgets what could be
    redone.
    """
    done: list[Mark] = []
    undone: list[Mark] = []
    for mark in marks:
        if mark.kind == "undo":
            if done:
                undone.append(done.pop())
        elif mark.kind == "redo":
            if undone:
                done.append(undone.pop())
        else:
            done.append(mark)
            undone.clear()
    features: dict[int, FeatureMarks] = {}
    for mark in done:
        for index in mark.features:
            features[index] = _after(features.get(index, FeatureMarks()), mark)
    blank = FeatureMarks()
    return MarkState({i: m for i, m in features.items() if m != blank}, len(done), len(undone))


def _after(marks: FeatureMarks, mark: Mark) -> FeatureMarks:
    if mark.kind == "note":
        return FeatureMarks(marks.verdict, marks.tags, mark.value)
    if mark.kind == "tag":
        return FeatureMarks(marks.verdict, marks.tags | {mark.value}, marks.note)
    if mark.kind == "untag":
        return FeatureMarks(marks.verdict, marks.tags - {mark.value}, marks.note)
    return FeatureMarks(_VERDICTS[mark.kind], marks.tags, marks.note)
