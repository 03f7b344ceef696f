from __future__ import annotations

import pytest

from dct_tui.inert import both_ends, columns, inert, one_line


@pytest.mark.parametrize("text", ["plain", "two\nlines\tand a tab", "café 日本 🐛", "👩‍👩‍👧 क्‍ष", ""])
def test_ordinary_text_stays(text: str) -> None:
    assert inert(text) == text


@pytest.mark.parametrize("char", ["\x1b", "\x07", "\r", "\x08", "\x7f", "\x9b", "\u202e", "\u2066", "\ufeff", "\udc80"])
def test_what_moves_a_terminal_does_not(char: str) -> None:
    assert inert(f"a{char}b") == "a�b"


def test_one_line_fits() -> None:
    assert one_line(" a \n b\x1b ", 20) == "a b�"
    assert one_line("abcdef", 6) == "abcdef" and one_line("abcdefg", 6) == "abcde…"
    assert one_line("日本語日本語", 6) == "日本…"
    assert columns("日本") == 4 and columns("e\u0301") == 1
    for width in range(1, 14):
        assert columns(one_line("a日b本c語", width)) <= width


def test_both_ends_are_seen() -> None:
    assert both_ends("a name", 6) == "a name"
    assert both_ends("llama-10-20-1", 9) == "llam…20-1" and both_ends("llama-10-20-2", 9) == "llam…20-2"
    for width in range(1, 20):
        for text in ("a日本b本c語" * 3, "日本" * 9, "e\u0301" * 30):
            shown = both_ends(text, width)
            assert columns(shown) <= width and "…" in shown


def test_a_line_has_no_joiners() -> None:
    family = "a\u200db \u200c \u200dc"
    assert one_line(family, 10) == both_ends(family, 10) == "ab c"
    assert inert(family) == family
