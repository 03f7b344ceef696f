from __future__ import annotations

from pathlib import Path

import pytest

from dct_tui.errors import DctError
from dct_tui.prompts import gather_prompts, hold_out, read_prompts


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("p.txt", "one\r\n\r\n two \nthree", ("one", "two", "three")),
        ("p.txt", "\ufefffirst\nline\u2028one\x0b", ("first", "line\u2028one")),
        ("prompts", "no suffix\n", ("no suffix",)),
        ("p.jsonl", '"one"\n\n{"id": 1, "question": "two\u2028?"}\n', ("one", "two\u2028?")),
        ("P.JSONL", '{"text": "three"}', ("three",)),
        ("p.csv", 'id,prompt\n1,"a, ""b""\nc"\n2,d\u2028e\n', ('a, "b"\nc', "d\u2028e")),
    ],
)
def test_files(tmp_path: Path, name: str, content: str, expected: tuple[str, ...]) -> None:
    (tmp_path / name).write_bytes(content.encode())
    assert read_prompts(tmp_path / name) == expected


def test_a_row_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text('prompt,x\n"a\nb",1\n,\n')
    assert read_prompts(tmp_path / "p.csv") == ("a\nb",)
    (tmp_path / "q.csv").write_text('x,prompt\n"a\nb",1\n2\n')
    with pytest.raises(DctError, match="line 4, holds no prompt"):
        read_prompts(tmp_path / "q.csv")


def test_given_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("one\n")
    assert gather_prompts(tmp_path / "p.txt", ["two", "  "]) == ("one", "two")
    assert gather_prompts(None, None) == ()


def test_a_quarter_is_held_back_and_no_prompt_is_on_both_sides() -> None:
    prompts = [f"prompt {i}" for i in range(12)]
    fitted, held = hold_out([*prompts, *prompts[:5]], seed=3)
    assert len(held) == 3 and len(fitted) == 9
    assert set(fitted) | set(held) == set(prompts) and not set(fitted) & set(held)
    assert hold_out(prompts, 3) == (fitted, held) != hold_out(prompts, 4)
    assert hold_out(["a", "b", "c"], 0) == (("a", "b", "c"), ())


def test_unquoted_commas_in_a_table_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "prompts.csv"
    path.write_text("prompt\nfine\nWhere is the cow, and why?\n")
    with pytest.raises(DctError, match="line 3, has more fields than the header; quote"):
        read_prompts(path)
