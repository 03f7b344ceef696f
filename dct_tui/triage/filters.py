"""Filters: terms that must all hold of a row. `filter_text` reads and writes them as text."""

from __future__ import annotations

import operator
import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from .rows import FeatureRow
from .time_limit import time_limit

Check: TypeAlias = Callable[[FeatureRow], bool]

NUMBERS: dict[str, Callable[[FeatureRow], float | None]] = {
    "rank": lambda row: row.rank,
    "index": lambda row: row.index,
    "alpha": lambda row: row.alpha,
    "kl": lambda row: row.kl,
    "norm": lambda row: row.norm,
    "changed": lambda row: row.changed,
    "broken": lambda row: row.broken,
    "samples": lambda row: row.evidence.samples,
    "contrast": lambda row: row.contrast,
}
RELATIONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
TEXTS: dict[str, Callable[[FeatureRow], Iterable[str]]] = {
    "tag": lambda row: row.marks.tags,
    "note": lambda row: (row.marks.note,),
    "word": lambda row: row.words,
    "sample": lambda row: row.evidence.texts,
    "prompt": lambda row: row.evidence.prompts,
}
FLAGS: dict[str, Check] = {
    "starred": lambda row: row.marks.verdict == "starred",
    "rejected": lambda row: row.marks.verdict == "rejected",
    "unjudged": lambda row: row.marks.verdict is None,
    "tagged": lambda row: bool(row.marks.tags),
    "noted": lambda row: bool(row.marks.note),
    "sampled": lambda row: row.evidence.samples > 0,
    "average": lambda row: bool(row.members),
    "imported": lambda row: bool(row.imported),
}


@dataclass(frozen=True)
class Contains:
    """A text that holds this one; capitals count where it has any."""

    text: str

    @property
    def exact(self) -> bool:
        """Whether capitals count."""
        return self.text != self.text.lower()

    def holds(self, text: str) -> bool:
        """Whether a text does."""
        return self.text in (text if self.exact else text.lower())


@dataclass(frozen=True)
class Matches:
    """A text in which this regex finds something; capitals count where it has any, `\\S` and the like aside."""

    pattern: str
    regex: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        with warnings.catch_warnings():
            # Python has doubts about some patterns, and would print them into the screen.
            warnings.simplefilter("ignore")
            object.__setattr__(self, "regex", re.compile(self.pattern, re.MULTILINE))

    @cached_property
    def exact(self) -> bool:
        """Whether capitals count."""
        bare = re.sub(r"\\.", "", self.pattern, flags=re.DOTALL)
        return bare != bare.lower()

    def holds(self, text: str) -> bool:
        """Whether it finds something in a text. Wants a `time_limit` around it."""
        # Small letters are searched for in small letters: searching without regard to case is several times slower.
        return self.regex.search(text if self.exact else text.lower()) is not None


Search: TypeAlias = Contains | Matches


@dataclass(frozen=True)
class Anywhere:
    """Found in its samples that differ from the unsteered text, its words, its tags or its note."""

    search: Search

    def check(self, row: FeatureRow) -> bool:
        """Whether it holds of a row."""
        return self._in_texts(row) or any(
            self.search.holds(text) for text in (*row.words, *row.marks.tags, row.marks.note)
        )

    def _in_texts(self, row: FeatureRow) -> bool:
        seen, search = row.evidence, self.search
        if isinstance(search, Contains):
            return search.text in (seen.joined if search.exact else seen.lowered)
        find = search.regex.search
        return any(map(find, seen.texts if search.exact else seen.lowered_texts))


@dataclass(frozen=True)
class InField:
    """Found in one field. `prompt` stands for the prompts on which it changes the text."""

    name: str
    search: Search

    def check(self, row: FeatureRow) -> bool:
        """Whether it holds of a row."""
        return any(map(self.search.holds, TEXTS[self.name](row)))


@dataclass(frozen=True)
class Compares:
    """A number compared. Never holds where the number is not known."""

    name: str
    relation: str
    value: float

    def check(self, row: FeatureRow) -> bool:
        """Whether it holds of a row."""
        number = NUMBERS[self.name](row)
        return number is not None and RELATIONS[self.relation](number, self.value)


@dataclass(frozen=True)
class Between:
    """A number from `low` to `high`, both included."""

    name: str
    low: float
    high: float

    def check(self, row: FeatureRow) -> bool:
        """Whether it holds of a row."""
        number = NUMBERS[self.name](row)
        return number is not None and self.low <= number <= self.high


@dataclass(frozen=True)
class Is:
    """A word of its own, such as `starred`."""

    name: str

    def check(self, row: FeatureRow) -> bool:
        """Whether it holds of a row."""
        return FLAGS[self.name](row)


Condition: TypeAlias = Anywhere | InField | Compares | Between | Is


@dataclass(frozen=True)
class Term:
    """A condition, or its opposite."""

    condition: Condition
    inverse: bool = False

    def check(self, row: FeatureRow) -> bool:
        """Whether it holds of a row."""
        return self.condition.check(row) is not self.inverse


@dataclass(frozen=True)
class Filter:
    """Terms that must all hold; none of them: everything passes."""

    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    def keep(self, rows: Iterable[FeatureRow]) -> list[FeatureRow]:
        """The rows of which all terms hold, in their order.

        Raises:
            DctError: a regex of it takes too long.
        """
        # Quick terms first: a text is searched only where they hold.
        terms = sorted(self.terms, key=lambda term: isinstance(term.condition, Anywhere | InField))
        kept = list(rows)
        with time_limit():
            for term in terms:
                check, wanted = term.condition.check, not term.inverse
                kept = [row for row in kept if check(row) is wanted]
        return kept
