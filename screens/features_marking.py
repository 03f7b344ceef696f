"""The keys that mark features."""

from __future__ import annotations

from collections.abc import Iterable

from textual.suggester import SuggestFromList

from dct_tui.errors import DctError
from dct_tui.inert import one_line
from dct_tui.sessions.marks import MarkKind
from dct_tui.triage.filters import Filter, Is, Term
from dct_tui.triage.mark_book import LONGEST_TAG

from .dialogs import EnterText
from .features_base import TriageScreen
from .keymap import with_keys
from .widgets.feature_list import LOOKED_AT

UNJUDGED = Filter((Term(Is("unjudged")),))
SAMPLE_COLUMNS = 56
VERDICTS: dict[MarkKind, str] = {"star": "starred", "reject": "rejected"}


class MarkingScreen(TriageScreen):
    """Star, reject, tag, note, select, undo: everything is on disk before it is shown."""

    _last: list[tuple[MarkKind, str]] = []  # noqa: RUF012  # replaced, never changed
    _anchor: int | None = None
    """The row at which a range was begun."""
    _before_range: frozenset[int] = frozenset()

    # Judging

    def action_judge(self, kind: MarkKind) -> None:
        """Stars or rejects; takes the mark off again where all have it."""
        targets = self.to_mark()
        if self.judge(kind, targets):
            self._after_judging(targets)

    def judge(self, kind: MarkKind, targets: list[int]) -> bool:
        """Marks these features, or takes the mark off where all have it; whether it was put on."""
        if all(self.triage.rows[index].marks.verdict == VERDICTS[kind] for index in targets):
            self.mark([("clear", "")], targets)
            return False
        self._last = [(kind, "")]
        self.mark(self._last, targets)
        return True

    def action_repeat(self) -> None:
        """Marks as the last time."""
        if not self._last:
            raise DctError("there is no mark to repeat yet", "star with s, reject with x, tag with t")
        targets = self.to_mark()
        self.mark(self._last, targets)
        if self._last[0][0] in VERDICTS:
            self._after_judging(targets)

    def mark(self, marks: Iterable[tuple[MarkKind, str]], targets: Iterable[int]) -> None:
        """Marks features and repaints what changed."""
        touched: set[int] = set()
        targets = list(targets)
        for kind, value in marks:
            touched |= self.triage.mark(kind, targets, value)
        self.repaint_marks(touched, marks_only=all(kind in ("star", "reject", "clear") for kind, _ in marks))

    def repaint_marks(self, touched: set[int], *, marks_only: bool) -> None:
        """These features are marked otherwise now."""
        self.listed.features_changed(touched, marks_only=marks_only)
        self.show_counts()
        if self.listed.here in touched:
            self.rest()

    def _after_judging(self, targets: list[int]) -> None:
        """What was selected is done with; a single feature gives way to the next that is not judged."""
        if self.selected:
            self._anchor = None
            self.select(self.selected - set(targets))
            return
        advance = self.settings.advance
        if not (self.workbench.config.auto_advance if advance is None else advance):
            return
        shown, rows = self.triage.shown, self.triage.rows
        below = range(self.listed.cursor + 1, len(shown))
        place = next((place for place in below if not rows[shown[place]].judged), None)
        if place is not None:
            self.listed.go_to(place)

    # Tags and notes

    def action_tag(self) -> None:
        """Asks for tags."""
        self.attempt(self._tag(self.to_mark()))

    async def _tag(self, targets: list[int]) -> None:
        known = sorted({tag for row in self.triage.rows.values() for tag in row.marks.tags})
        shared = frozenset.intersection(*(self.triage.rows[index].marks.tags for index in targets))
        has = f" It has {', '.join(sorted(shared))}." if shared else ""
        text = await self.app.push_screen_wait(
            EnterText(
                f"Tag {_which(targets)}",
                detail=f"{self._sample_of(targets)}Several by commas; -pirate takes one off.{has}",
                check=_tags,
                suggester=SuggestFromList(known, case_sensitive=False),
            )
        )
        if text is not None:
            self._last = _tags(text)
            self.mark(self._last, targets)

    def action_note(self) -> None:
        """Asks for a note."""
        self.attempt(self._note(self.to_mark()))

    async def _note(self, targets: list[int]) -> None:
        known = self.triage.rows[targets[0]].marks.note if len(targets) == 1 else ""
        text = await self.app.push_screen_wait(
            EnterText(
                f"Note on {_which(targets)}",
                known,
                detail=f"{self._sample_of(targets)}An empty note takes it away.",
            )
        )
        if text is not None:
            self._last = [("note", text)]
            self.mark(self._last, targets)

    def _sample_of(self, targets: list[int]) -> str:
        line = self.triage.rows[targets[0]].evidence.line if len(targets) == 1 else ""
        return f"“{one_line(line[:LOOKED_AT], SAMPLE_COLUMNS)}”\n" if line else ""

    # Taking back

    def action_undo(self) -> None:
        """Takes the last mark back."""
        self._took("undone", *self.triage.undo())

    def action_redo(self) -> None:
        """Brings it back again."""
        self._took("done again", *self.triage.redo())

    def _took(self, what: str, words: str, touched: set[int]) -> None:
        if len(touched) == 1 and (place := self.listed.place_of(*touched)) is not None:
            self.listed.go_to(place)
        self.repaint_marks(touched, marks_only=False)
        message = f"{what}: {words}" if words else "nothing more to take back" if what == "undone" else "nothing undone"
        self.say(message)

    # Selecting

    def action_select(self) -> None:
        """Selects the feature, or not; then the next."""
        here = self.row.index
        self.extend_range()
        self._anchor = None
        self.select(self.selected ^ {here})
        self.listed.go_to(self.listed.cursor + 1)

    def action_range(self) -> None:
        """Begins a range of features, or ends it."""
        if self._anchor is not None:
            self.extend_range()
            self._anchor = None
            self.say(f"{len(self.selected)} selected")
            return
        self._anchor, self._before_range = self.listed.cursor, self.selected
        self.extend_range()

    def targets(self) -> list[int]:
        """The selected features, a range up to where the cursor is now; else the one under the cursor."""
        self.extend_range()
        return super().targets()

    def to_mark(self) -> list[int]:
        """Of the targets those that are shown: nobody marks what a filter hides. Raises DctError where none is."""
        targets = self.targets()
        seen = set(self.triage.shown).intersection(targets)
        if hidden := len(targets) - len(seen):
            if not seen:
                raise DctError(
                    "the selected features are hidden by the filter", with_keys("{features.escape} unselects them")
                )
            self.say(f"{hidden} selected but hidden by the filter: not marked")
        return [index for index in targets if index in seen]

    def extend_range(self) -> None:
        """Selects from where the range began to the cursor. Keys may come before the list tells of its moves."""
        if self._anchor is not None:
            first, last = sorted((self._anchor, self.listed.cursor))
            self.select(self._before_range | set(self.triage.shown[first : last + 1]))

    def unselect(self) -> bool:
        """Selects nothing; whether anything was selected."""
        had = bool(self.selected) or self._anchor is not None
        self._anchor = None
        if had:
            self.select(())
        return had


def _which(targets: list[int]) -> str:
    return f"feature {targets[0]}" if len(targets) == 1 else f"{len(targets)} features"


def _tags(text: str) -> list[tuple[MarkKind, str]]:
    names = [name.strip() for name in text.split(",") if name.strip(" -")]
    if not names:
        raise DctError("a tag needs a name", "write a word, such as pirate")
    for name in names:
        if len(name) > LONGEST_TAG:
            raise DctError(f"the tag has {len(name)} characters", f"write at most {LONGEST_TAG}")
    return [("untag", name[1:].strip()) if name.startswith("-") else ("tag", name) for name in names]
