"""What is drawn: the depth, the tokens, the curve. Each within its columns, and with what it is to show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dct_tui.inert import columns
from dct_tui.models.layer_range import LayerRange, default_range
from dct_tui.screens.scale_words import large_words
from dct_tui.screens.widgets.changing_lines import Line
from dct_tui.screens.widgets.curve import curve_lines, found_words
from dct_tui.screens.widgets.depth_picture import INSIDE, OUTSIDE, SOURCE, TARGET, picture
from dct_tui.screens.widgets.token_preview import token_lines


def texts(lines: list[Line]) -> list[str]:
    return ["".join(piece for piece, _ in line) for line in lines]


@pytest.mark.parametrize("depth", [1, 10, 12, 32, 61, 80, 128])
def test_blocks_and_slice_fit_into_eighty_columns(depth: int) -> None:
    layers = default_range(depth)
    numbers, blocks, signs, words = texts(picture(depth, layers, 78))
    assert max(len(numbers), len(blocks), len(signs), len(words)) <= 79
    wide = blocks.count(INSIDE) + blocks.count(OUTSIDE)
    # As many columns of the slice as blocks of it, up to the blocks that share a column.
    share = (layers.target - layers.source) / depth
    assert abs(blocks.count(INSIDE) - share * wide) <= 2
    assert signs.index(SOURCE) == blocks.index(INSIDE)
    assert signs.index(TARGET) == blocks.rindex(INSIDE) + 1
    assert f"enters {layers.source}," in words and f"of {depth}" in words
    shown = [int(number) for number in numbers.split()]
    assert shown[0] == 0 and shown == sorted(shown) and shown[-1] < depth


def test_the_numbers_stand_at_their_blocks() -> None:
    numbers, blocks, *_ = texts(picture(32, LayerRange(10, 20), 78))
    assert numbers.index("10") == blocks.index(INSIDE)
    assert numbers.index("20") == blocks.rindex(INSIDE) + 1


def test_a_slice_that_moves_changes_the_picture() -> None:
    for depth in (12, 32, 64):
        seen = {tuple(texts(picture(depth, LayerRange(source, depth), 78))) for source in range(depth)}
        assert len(seen) == depth


def test_the_end_and_the_unknown_are_said() -> None:
    assert "after the last block" in texts(picture(12, LayerRange(3, 12), 78))[-1]
    assert "not known" in texts(picture(None, None, 78))[0]
    assert texts(picture(12, None, 78))[-1] == "this is no slice"


PROMPT = {"tokens": ["<|user|>", " where", " is", " it", "?\n", "<end>"], "special": [0, 5], "targets": 2}


def test_special_tokens_and_targets_are_marked_by_signs() -> None:
    assert texts(token_lines(PROMPT, 80)) == ["⟦<|user|>⟧ where│ is│ it«?↵⟦<end>⟧»"]


def test_a_prompt_all_of_targets_is_marked_whole() -> None:
    assert texts(token_lines({**PROMPT, "targets": 6}, 80))[0].startswith("«⟦<|user|>⟧")


@given(some.lists(some.text(max_size=12), min_size=1, max_size=30), some.integers(0, 30), some.integers(10, 40))
def test_no_line_is_wider_than_the_pane_and_nothing_is_lost(tokens: list[str], targets: int, width: int) -> None:
    lines = texts(token_lines({"tokens": tokens, "special": [], "targets": min(targets, len(tokens))}, width))
    assert all(columns(line) <= width for line in lines)
    for hostile in ("\x1b", "\x07", "\u202e", "\n", "\r"):
        assert not any(hostile in line for line in lines)
    kept = [char for char in "".join(tokens) if char.isascii() and char.isalnum()]
    assert [char for char in "".join(lines) if char.isascii() and char.isalnum()] == kept


CURVE = [[0.25, 0.01], [0.5, 0.03], [1.0, 0.08], [2.0, 0.2], [4.0, 0.5], [8.0, None], [16.0, 1.4]]
FOUND = {"curve": CURVE, "scale": 4.0, "reference": 20.0, "kind": "solved"}


def test_the_curve_rises_and_r_and_lambda_are_marked() -> None:
    lines = texts(curve_lines(FOUND, 70, 14))
    assert len(lines) == 14 and all(columns(line) <= 70 for line in lines)
    level = next(line for line in lines if "λ=0.5" in line)
    assert "┄" in level and any("│" in line for line in lines)
    at = next(line.index("│") for line in lines if "│" in line)
    assert abs(lines[-2].index("R=4") + 1 - at) <= 2 and "20.0%" in lines[-1]
    # The braille of the first column is at the bottom, that of the last at the top.
    rows = [line for line in lines[1:-2] if any(char > "⠀" and char <= "⣿" for char in line)]
    assert rows[0].rstrip()[-1] > "⠀" and rows[-1][6] > "⠀"


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"curve": [], "scale": 1.0},
        {"curve": [[1, 1]], "scale": 1.0},
        {"curve": CURVE, "scale": 0.0},
        {"curve": [[1.0, None], [2.0, float("inf")]], "scale": 1.0},
    ],
)
def test_what_cannot_be_drawn_is_left_out(found: dict[str, object]) -> None:
    assert curve_lines(found, 70, 14) == []


def test_an_r_that_drowns_the_stream_is_warned_of() -> None:
    assert large_words({"scale": 9.0, "reference": 20.0, "kind": "fallback"}) == ""
    assert "above 45%" in large_words({"scale": 9.1, "reference": 20.0}) and "such as 6" in large_words(
        {"scale": 9.1, "reference": 20.0}
    )
    for unknown in (None, {}, {"scale": 9.1}, {"scale": "x", "reference": 1}, {"scale": 1.0, "reference": 0}):
        assert large_words(unknown) == ""


def test_how_r_was_found_is_said() -> None:
    assert found_words(FOUND).startswith("R = 4, 20% of the stream's median norm ‖h_s‖ = 20. There the ratio rises")
    assert "fixed share" in found_words({**FOUND, "kind": "fallback"})
    assert found_words({"scale": 1.0, "kind": "unbounded", "reference": None}).startswith("R = 1. The ratio")
