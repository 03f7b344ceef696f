from __future__ import annotations

import pytest

from dct_tui.inert import columns, inert, one_line


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
