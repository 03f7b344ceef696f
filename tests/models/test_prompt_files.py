"""Prompts as people keep them, and the split into those fitted on and those judged on."""

from __future__ import annotations

from pathlib import Path

import pytest

from dct_tui.errors import DctError
from dct_tui.prompts import hold_out, read_prompts


def written(tmp_path: Path, name: str, content: bytes | str) -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", "one\ntwo\n", ("one", "two")),
        ("a.txt", "one\r\n\r\n  two  \r\n", ("one", "two")),
        ("a.txt", b"\xef\xbb\xbfone\nd\xc3\xa9j\xc3\xa0", ("one", "déjà")),
        ("a", "one", ("one",)),
        (
            "a.jsonl",
            '"one"\n\n{"prompt": "two"}\n{"id": 3, "question": "three\\nlines"}',
            ("one", "two", "three\nlines"),
        ),
        ("a.jsonl", '"a\u2028b"', ("a\u2028b",)),
        ("a.JSONL", b'\xef\xbb\xbf"one"\r\n', ("one",)),
        ("a.csv", 'id,prompt\n1,"one, with ""quotes"""\n2,"two\nlines"\n', ('one, with "quotes"', "two\nlines")),
        ("a.csv", b"\xef\xbb\xbftext\r\none\r\n", ("one",)),
        ("a.csv", "goal,prompt\nwrong,right\n", ("right",)),
    ],
)
def test_files_of_prompts(tmp_path: Path, name: str, content: bytes | str, expected: tuple[str, ...]) -> None:
    assert read_prompts(written(tmp_path, name, content)) == expected


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.txt", "", "no prompts"),
        ("a.txt", " \n\r\n\t\n", "no prompts"),
        ("a.txt", b"\xff\xfeo\x00n\x00e\x00", "not UTF-8"),
        ("a.jsonl", '"one"\n{"prompt": ', "line 2"),
        ("a.jsonl", '{"prompt": "one"}\n\n{"reply": "two"}', "line 3"),
        ("a.jsonl", "[1, 2]", "line 1"),
        ("a.jsonl", '""', "no prompts"),
        ("a.csv", "id,name\n1,one\n", "prompt, text"),
        ("a.csv", 'prompt\n"one', "not a readable table"),
        ("a.csv", "prompt\n", "no prompts"),
        ("a.md", "one", "md file"),
    ],
)
def test_bad_files(tmp_path: Path, name: str, content: bytes | str, complaint: str) -> None:
    path = written(tmp_path, name, content)
    with pytest.raises(DctError, match=complaint) as caught:
        read_prompts(path)
    assert str(path) in str(caught.value) or path.suffix == ".md"


def test_no_such_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DctError, match="no prompt file"):
        read_prompts(tmp_path / "none.txt")
    with pytest.raises(DctError, match="is a folder"):
        read_prompts(tmp_path)


@pytest.mark.parametrize(("count", "held"), [(1, 0), (3, 0), (4, 1), (8, 2), (40, 10)])
def test_a_quarter_is_held_back(count: int, held: int) -> None:
    prompts = [str(i) for i in range(count)]
    fitted, validation = hold_out(prompts, seed=1)
    assert len(validation) == held
    assert sorted([*fitted, *validation], key=int) == prompts


def test_a_prompt_given_twice_is_on_one_side() -> None:
    fitted, validation = hold_out([*"abcd", *"abcd"], seed=1)
    assert sorted([*fitted, *validation]) == [*"abcd"]


def test_the_split_is_the_seeds() -> None:
    prompts = [str(i) for i in range(40)]
    assert hold_out(prompts, 3) == hold_out(prompts, 3)
    assert hold_out(prompts, 3) != hold_out(prompts, 4)
