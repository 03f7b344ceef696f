"""Text of models and files made safe to show: it may hold escape sequences, and a terminal would obey them."""

from __future__ import annotations

import unicodedata

# Joiners belong to Persian, Indic scripts and emoji.
JOINERS = {"\u200c", "\u200d"}
KEPT = {"\n", "\t", *JOINERS}
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn"}


def inert(text: str) -> str:
    """The text without control characters, escape sequences' openings, and marks that turn the writing direction.

    Newlines and tabs stay; every other character of these kinds becomes U+FFFD.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char in KEPT or unicodedata.category(char) not in HIDDEN else "\N{REPLACEMENT CHARACTER}"
        for char in text
    )


def unicode(text: str) -> str:
    """The text with U+FFFD for half characters: names of files need not be Unicode, and JSON must be."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def columns(text: str) -> int:
    """How many columns of a terminal one line of text takes: East Asian characters take two, joined marks none."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def one_line(text: str, width: int) -> str:
    """Inert text on one line of at most `width` columns."""
    line = _cells(text)
    if columns(line) <= width:
        return line
    used = 0
    for place, char in enumerate(line):
        used += _columns_of(char)
        if used >= width:
            return line[:place] + "…"
    return line


def both_ends(text: str, width: int) -> str:
    """Inert text on one line of at most `width` columns, shortened in its midst: names often differ at their end."""
    line = _cells(text)
    if columns(line) <= width:
        return line
    place, used = len(line), 0
    while place and used + _columns_of(line[place - 1]) <= (width - 1) // 2:
        place -= 1
        used += _columns_of(line[place])
    return one_line(line, width - used) + line[place:]


def _cells(text: str) -> str:
    """Inert text on one line, without joiners: terminals disagree on how many columns what they join takes."""
    return " ".join("".join(char for char in inert(text) if char not in JOINERS).split())


def _columns_of(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
