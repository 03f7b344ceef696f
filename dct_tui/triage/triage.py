"""The triage of one session: its rows, which of them are shown in which order, and what is done with them."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import DctError
from ..sessions import Session
from ..sessions.averages import make_average
from ..sessions.layout import AVERAGES_FILE, FEATURES_FILE
from ..sessions.marks import MarkKind, Verdict
from .filters import Filter
from .like import alike_in_texts, near_in_direction
from .mark_book import MarkBook
from .orders import Order, in_order
from .pace import left_words
from .pieces import likeness
from .rows import FeatureRow
from .samples import SampleStore

AT_ONCE = 1_000_000
"""Bytes of samples taken in by one look, so that a large journal does not hold the keys up."""


@dataclass
class News:
    """What one look at the folder brought.

    Attributes:
        rows: the features whose rows look otherwise now.
        listed: whether there are other rows now, so that the list is to be made anew.
        more: whether the next look will bring more that lies there already.
    """

    rows: set[int] = field(default_factory=set)
    listed: bool = False
    more: bool = False


class Triage:
    """What the features screen shows and does, without a picture of it.

    The list (`shown`) changes only when a filter or an order is set: samples that arrive and marks change what stands
    in a row and not where it stands.

    Attributes:
        rows: by index; empty before the features are described.
        shown: the indices in the list, in its order.
        filter: what `shown` was kept by.
        order: what it stands in.
        samples: the samples that have arrived.
        marks: the marks, and who writes them.
        notices: what in the folder could not be used, a line each.
    """

    def __init__(self, session: Session, order: Order | None = None) -> None:
        self.session = session
        self.rows: dict[int, FeatureRow] = {}
        self.shown: list[int] = []
        self.filter = Filter()
        self.order = order or Order()
        self.samples = SampleStore()
        self.marks = MarkBook(session)
        self.notices: list[str] = []
        self._offset = 0
        self._described: tuple[object, ...] = ()
        self._V: NDArray[np.float32] | None = None
        self._verdicts: Counter[Verdict | None] | None = None
        self._sampled: int | None = None

    def close(self) -> None:
        """Lets others mark."""
        self.marks.close()

    # What the folder brings

    def look(self) -> News:
        """Takes in what is new in the folder.

        Raises:
            SessionDamaged: a file of it cannot be read.
        """
        news = News()
        if (described := self._stamp()) != self._described:
            self._read_rows()
            self._described, news.listed = described, True
        reading = self.session.samples.read_from(self._offset, AT_ONCE)
        news.more, self._offset = reading.offset >= self._offset + AT_ONCE, reading.offset
        touched, notices = self.samples.take(reading.records)
        self.notices += reading.notices + notices
        news.rows |= self._refresh(touched)
        news.rows |= self._marked(self.marks.sync())
        return news

    def _stamp(self) -> tuple[object, ...]:
        found: list[object] = []
        for name in (FEATURES_FILE, AVERAGES_FILE):
            with contextlib.suppress(OSError):
                stat = (self.session.path / name).stat()
                found.append((name, stat.st_ino, stat.st_size, stat.st_mtime_ns))
        return tuple(found)

    def _read_rows(self) -> None:
        before, self._V, self._verdicts, self._sampled = self.rows, None, None, None
        self.rows = {
            row.index: row.with_(
                evidence=self.samples.evidence(row.index),
                marks=self.marks.log.of(row.index),
                contrast=before[row.index].contrast if row.index in before else None,
            )
            for row in map(FeatureRow.of, self.session.read_features())
        }
        self.arrange()

    def _refresh(self, features: Iterable[int]) -> set[int]:
        touched = {index for index in features if index in self.rows}
        if touched:
            self._sampled = None
        for index in touched:
            self.rows[index] = self.rows[index].with_(evidence=self.samples.evidence(index))
        return touched

    def _marked(self, features: Iterable[int]) -> set[int]:
        touched = {index for index in features if index in self.rows}
        if touched:
            self._verdicts = None
        for index in touched:
            self.rows[index] = self.rows[index].with_(marks=self.marks.log.of(index))
        return touched

    # The list

    def arrange(self) -> None:
        """Makes the list anew by filter and order. Raises DctError for a regex that takes too long."""
        kept = self.filter.keep(in_order(self.rows.values(), self.order))
        self.shown = [row.index for row in kept]

    def keep(self, wanted: Filter) -> None:
        """Shows what passes a filter. Raises DctError for a regex that takes too long; then all stays as it was."""
        before, self.filter = self.filter, wanted
        try:
            self.arrange()
        except DctError:
            self.filter = before
            raise

    def sort(self, order: Order) -> None:
        """Shows the list in another order, as things stand now."""
        before, self.order = self.order, order
        try:
            self.arrange()
        except DctError:
            self.order = before
            raise

    def set_contrast(self, scores: Sequence[float]) -> None:
        """Takes the scores of a contrast of two words, by feature."""
        for index, row in self.rows.items():
            self.rows[index] = row.with_(contrast=scores[index] if index < len(scores) else None)

    def next_where(self, place: int, step: int, wanted: Filter) -> int | None:
        """The next place in the list, from one on and round its ends, whose feature passes; None: there is none."""
        count = len(self.shown)
        places = [(place + step * distance) % count for distance in range(1, count + 1)] if count else []
        passing = {row.index for row in wanted.keep(self.rows[self.shown[at]] for at in places)}
        return next((at for at in places if self.shown[at] in passing), None)

    # Marking

    def mark(self, kind: MarkKind, features: Iterable[int], value: str = "") -> set[int]:
        """Marks features; see `MarkBook.mark`. Returns those whose rows changed."""
        return self._marked(self.marks.mark(kind, [index for index in features if index in self.rows], value))

    def undo(self) -> tuple[str, set[int]]:
        """Takes the last mark back. Returns what it was, in words (empty: there was none), and the rows touched."""
        last, touched = self.marks.undo()
        return (_words(last.kind, last.features, last.value) if last else ""), self._marked(touched)

    def redo(self) -> tuple[str, set[int]]:
        """Brings back what was undone last. Returns as `undo`."""
        last, touched = self.marks.redo()
        return (_words(last.kind, last.features, last.value) if last else ""), self._marked(touched)

    def average(self, members: Iterable[int]) -> int:
        """Adds the mean of features as a new one, which the next look shows; returns its index."""
        return make_average(self.session, members)

    # What can be said

    def directions(self) -> NDArray[np.float32]:
        """V, d × m. Read once. Raises SessionDamaged."""
        if self._V is None:
            self._V = self.session.read_fit().V
        return self._V

    def near(self, index: int) -> list[tuple[int, float]]:
        """The features nearest to one in direction, with cosines."""
        return [pair for pair in near_in_direction(self.directions(), index) if pair[0] in self.rows]

    def alike(self, index: int) -> list[tuple[int, float]]:
        """The features that make the model say the like, with likeness."""
        return alike_in_texts(self.rows[index], self.rows.values())

    def likeness(self, one: int, other: int) -> tuple[float, float | None]:
        """The cosine of two features' input directions, and the share of their own words that both have (None: one of
        them has no samples). Raises SessionDamaged.
        """
        V, first, second = self.directions(), self.rows[one].evidence, self.rows[other].evidence
        cosine = float(V[:, one] @ V[:, other])
        return cosine, likeness(first.own, second.own) if first.samples and second.samples else None

    def count_words(self) -> str:
        """Counts and pace: `12★ 40✗ · 212 left, about 14 min`."""
        if self._verdicts is None:
            # What was made or brought was looked at then: of what is left it is none.
            counted = (row for row in self.rows.values() if row.judged or not row.added)
            self._verdicts = Counter(row.marks.verdict for row in counted)
        verdicts = self._verdicts
        left = left_words(verdicts[None], self.marks.judged_at)
        return f"{verdicts['starred']}★ {verdicts['rejected']}✗ · {left}"

    def sampled(self) -> int:
        """How many of the features have samples."""
        if self._sampled is None:
            self._sampled = len(self.samples.features() & self.rows.keys())
        return self._sampled


def _words(kind: MarkKind, features: Sequence[int], value: str) -> str:
    what = {"star": "★", "reject": "✗", "clear": "unmark"}.get(kind, f"{kind} {value}".strip())
    return f"{what} on {features[0] if len(features) == 1 else f'{len(features)} features'}"
