"""Filters as a person writes them: `pirate /arr+/ !kl<2 tag:rude index:12-40 unjudged`."""

from __future__ import annotations

import re

from ..errors import DctError
from .filters import (
    FLAGS,
    NUMBERS,
    RELATIONS,
    TEXTS,
    Anywhere,
    Between,
    Compares,
    Condition,
    Contains,
    Filter,
    InField,
    Is,
    Matches,
    Search,
    Term,
)

LONGEST = 500
EXACT = 1e15
"""Up to here whole numbers are written as such."""
FIELD = re.compile(rf"([A-Za-z_]+)({'|'.join(RELATIONS)}|:)")
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?%?|[+-]?inf"
RANGE = re.compile(rf"({NUMBER})-({NUMBER})")


def parse_filter(text: str) -> Filter:
    """The filter that a text means.

    Raises:
        DctError: it means none; the error names the place (from 1) and what is possible there.
    """
    if len(text) > LONGEST:
        raise DctError(f"the filter has {len(text)} characters", f"write at most {LONGEST}")
    return _Reader(text).filter()


def filter_text(terms: Filter) -> str:
    """The text of a filter, which `parse_filter` reads as the same filter."""
    return " ".join("!" * term.inverse + _condition_text(term.condition) for term in terms.terms)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def filter(self) -> Filter:
        terms = []
        while self._skip_spaces():
            inverse = self.text[self.at] == "!"
            self.at += inverse
            if self.at == len(self.text) or self.text[self.at].isspace() or self.text[self.at] == "!":
                raise self._wrong(self.at - 1, "a ! stands alone", "write what is not wanted right after it: !starred")
            terms.append(Term(self._condition(), inverse))
        return Filter(tuple(terms))

    def _skip_spaces(self) -> bool:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.at < len(self.text)

    def _condition(self) -> Condition:
        start = self.at
        if self.text[start] in '/"':
            return Anywhere(self._search())
        if named := FIELD.match(self.text, start):
            return self._field(named[1].lower(), named[2], start, named.end())
        word = self._bare()
        return Is(word) if word in FLAGS else Anywhere(self._contains(word, start))

    def _field(self, name: str, relation: str, start: int, end: int) -> Condition:
        self.at = end
        if name in TEXTS and relation == ":":
            return InField(name, self._search())
        if name in NUMBERS:
            value = self._bare()
            if relation != ":":
                return Compares(name, relation, self._number(value, end, f"write a number after {name}{relation}"))
            if both := RANGE.fullmatch(value):
                return Between(name, self._number(both[1], end, ""), self._number(both[2], end, ""))
            number = self._number(value, end, f"write {name}:12 or {name}:12-40")
            return Compares(name, "=", number)
        if name in TEXTS:
            raise self._wrong(start, f"{name} is text and cannot be compared by {relation}", f"write {name}:pirate")
        raise self._wrong(
            start,
            f"there is no field {name!r}",
            f"fields are {', '.join((*NUMBERS, *TEXTS))}; to search for it as it stands put it in quotes",
        )

    def _search(self) -> Search:
        start = self.at
        if self.text[start : start + 1] == "/":
            return self._regex(start)
        if self.text[start : start + 1] == '"':
            return self._contains(self._until('"', start, "the quote is not closed"), start)
        return self._contains(self._bare(), start)

    def _contains(self, text: str, start: int) -> Contains:
        if not text or "\0" in text:
            raise self._wrong(start, "there is nothing to search for", "write a word, or several in quotes")
        return Contains(text)

    def _regex(self, start: int) -> Matches:
        pattern = self._until("/", start, "the regex is not closed by /")
        if not pattern:
            raise self._wrong(start, "the regex is empty", "write /arr+/")
        try:
            return Matches(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise self._wrong(start, f"the regex cannot be read: {error}", "write \\( where ( is meant") from None

    def _until(self, end: str, start: int, problem: str) -> str:
        """What stands up to the next `end`, which a backslash can hide. In quotes a backslash hides itself as well."""
        self.at = start + 1
        taken: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == end:
                self.at += 1
                return "".join(taken)
            if char == "\\" and self.at + 1 < len(self.text):
                self.at += 1
                hidden = self.text[self.at]
                char = hidden if hidden == end or (end == '"' and hidden == "\\") else char + hidden
            taken.append(char)
            self.at += 1
        raise self._wrong(start, problem, f"end it by {end}")

    def _bare(self) -> str:
        start = self.at
        while self.at < len(self.text) and not self.text[self.at].isspace():
            self.at += 1
        return self.text[start : self.at]

    def _number(self, text: str, start: int, hint: str) -> float:
        if not re.fullmatch(NUMBER, text):
            raise self._wrong(start, f"{text[:40]!r} is no number", hint)
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)

    def _wrong(self, at: int, problem: str, hint: str) -> DctError:
        return DctError(f"place {at + 1}: {problem}", hint)


def _condition_text(condition: Condition) -> str:
    if isinstance(condition, Anywhere):
        return _search_text(condition.search)
    if isinstance(condition, InField):
        return f"{condition.name}:{_search_text(condition.search)}"
    if isinstance(condition, Compares):
        return f"{condition.name}{condition.relation}{_number_text(condition.value)}"
    if isinstance(condition, Between):
        return f"{condition.name}:{_number_text(condition.low)}-{_number_text(condition.high)}"
    return condition.name


def _number_text(value: float) -> str:
    return str(int(value)) if abs(value) < EXACT and value == int(value) else repr(value)


def _search_text(search: Search) -> str:
    if isinstance(search, Matches):
        # A slash of its own would end it; one that is hidden already stays so.
        return "/" + re.sub(r"(\\.)|/", lambda found: found[1] or "\\/", search.pattern, flags=re.DOTALL) + "/"
    text = search.text
    plain = not any(map(str.isspace, text)) and text[0] not in '!/"' and text not in FLAGS and not FIELD.match(text)
    if plain:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
