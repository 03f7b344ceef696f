"""Letters in place of signs, on terminals that show nothing else."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

__all__ = ["Letters", "has_signs"]

FEW_GLYPHS = {"linux", "vt100", "vt220", "ansi", "cons25"}
"""Terminals, by `TERM`, whose fonts lack stars and ticks, whatever they are sent."""

PLAIN = dict(
    zip(
        "★✗✓○●■▪‖▶▸◆◌►◀▲▼→←↑↓↵⇥×−–—·…«»‹›⟨⟩⟦⟧“”‘’≈≤≥∞∅αΔλθσΣᵀ░▒▏",
        """*x+o@#+=>>#o><^v><^v/>x---..<><><>[]""''~<>80aDltsST.:|""",
        strict=True,
    )
)
"""What stands for the signs of our own. Those that tell apart what is judged or running are told apart here too."""


class Letters(LineFilter):
    """Shows every line in ASCII, each character in as many columns as it had."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, their texts in ASCII."""
        return [
            segment if segment.text.isascii() else segment._replace(text=_plain_text(segment.text))
            for segment in segments
        ]


def has_signs(environment: Mapping[str, str], encoding: str) -> bool:
    """Whether a terminal shows more than ASCII, as far as can be known.

    Args:
        environment: a locale that is named in it and is not of UTF-8 is believed. Where none is named, as in many
            containers, nothing is known, and most terminals show all.
        encoding: in which the program writes.
    """
    if not encoding.lower().replace("-", "").startswith("utf"):
        return False
    # Python puts C.UTF-8 in the place of C, but only in this variable, and with LC_ALL not set.
    own = environment.get("LC_CTYPE", "")
    named = environment.get("LC_ALL") or (own if own != "C.UTF-8" else "") or environment.get("LANG") or own
    if named and "utf" not in named.lower():
        return False
    return environment.get("TERM", "").partition("-")[0] not in FEW_GLYPHS


def _plain_text(text: str) -> str:
    width = cell_len(text)  # of joined characters less than of each of them
    return "".join(map(_plain, text))[:width].ljust(width)


@lru_cache(4096)
def _plain(char: str) -> str:
    if char.isascii():
        return char
    width = cell_len(char)
    known = PLAIN.get(char) or _drawn(ord(char))
    text = known or unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    return text if len(text) == width else "?" * width


def _drawn(code: int) -> str:
    """What stands for lines, bars and the dots of plots; empty for all else."""
    if 0x2500 <= code < 0x2580:
        return "-" if code in (0x2500, 0x2501, 0x2504) else "|" if code in (0x2502, 0x2503) else "+"
    if 0x2580 <= code < 0x25A0:
        return "_" if code < 0x2584 else "#"
    if 0x2800 <= code < 0x2900:
        return " .::"[min(3, (code & 0xFF).bit_count())]
    return ""
