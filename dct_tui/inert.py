"""Model output made safe to show: a model may write escape sequences, and a terminal would obey them."""

from __future__ import annotations

import unicodedata

# Joiners belong to Indic scripts and emoji, and move nothing.
KEPT = {"\n", "\t", "\u200c", "\u200d"}
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn"}


def inert(text: str) -> str:
    """The text without control characters, escape sequences' openings, and marks that turn the writing direction.

    Newlines and tabs stay; every other character of these kinds becomes `\N{REPLACEMENT CHARACTER}`.
    """
    return "".join(
        char if char in KEPT or unicodedata.category(char) not in HIDDEN else "\N{REPLACEMENT CHARACTER}"
        for char in text
    )


def one_line(text: str, width: int) -> str:
    """The same on one line of at most `width` characters."""
    line = " ".join(inert(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"
