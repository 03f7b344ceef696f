from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dct_tui.errors import DctError
from dct_tui.export import ExportContext, ExportVector
from dct_tui.export.gguf_control import control_vector_bytes
from dct_tui.export.gguf_file import gguf_bytes
from dct_tui.export.gguf_lint import lint_control_vector

Make = Callable[..., ExportVector]
KEYS: dict[str, str | int] = {
    "general.architecture": "controlvector",
    "controlvector.model_hint": "qwen2",
    "controlvector.layer_count": 1,
}
ONES = np.ones(16, np.float32)
GOOD = gguf_bytes(KEYS, {"direction.2": ONES})


def read(data: bytes, folder: Path) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """Keys and tensors, by the `gguf` package."""
    gguf = pytest.importorskip("gguf")
    (folder / "read.gguf").write_bytes(data)
    reader = gguf.GGUFReader(folder / "read.gguf")
    keys = {key: field.contents() for key, field in reader.fields.items() if not key.startswith("GGUF.")}
    tensors = {tensor.name: np.array(tensor.data) for tensor in reader.tensors}
    assert all(tensor.tensor_type == gguf.GGMLQuantizationType.F32 for tensor in reader.tensors)
    return keys, tensors


def test_the_bytes_of_the_container() -> None:
    data = gguf_bytes({"a": "b", "n": 7}, {"t": np.array([1.0, 2.0], np.float32)})
    head = (
        b"GGUF" + struct.pack("<IQQ", 3, 1, 2)
        + struct.pack("<Q", 1) + b"a" + struct.pack("<IQ", 8, 1) + b"b"
        + struct.pack("<Q", 1) + b"n" + struct.pack("<II", 4, 7)
        + struct.pack("<Q", 1) + b"t" + struct.pack("<IQIQ", 1, 2, 0, 0)
    )  # fmt: skip
    assert data[: len(head)] == head
    start = -(-len(head) // 32) * 32
    assert data[len(head) : start] == bytes(start - len(head))
    assert data[start:] == struct.pack("<2f", 1.0, 2.0) + bytes(24)


def test_one_feature(make_vector: Make, context: ExportContext, tmp_path: Path) -> None:
    vector = make_vector(4, strength=-0.5)
    keys, tensors = read(control_vector_bytes([vector], context), tmp_path)
    assert keys == {
        "general.architecture": "controlvector",
        "general.name": "my session: feature 4",
        "controlvector.model_hint": "qwen2",
        "controlvector.layer_count": 5,
    }
    assert list(tensors) == [f"direction.{n}" for n in range(1, 6)]
    # The input of block 3 is the output of block 2; R and strength are in the values.
    np.testing.assert_allclose(tensors.pop("direction.2"), -0.5 * 4.25 * vector.vector, rtol=1e-6)
    assert not any(tensor.any() for tensor in tensors.values())


@pytest.mark.parametrize("source", [2, 3, 4, 5])
def test_layers(make_vector: Make, context: ExportContext, tmp_path: Path, source: int) -> None:
    keys, tensors = read(control_vector_bytes([make_vector(source=source)], context, sparse=True), tmp_path)
    assert list(tensors) == [f"direction.{source - 1}"]
    assert keys["controlvector.layer_count"] == 1


def test_several_features_are_summed(make_vector: Make, context: ExportContext, tmp_path: Path) -> None:
    a, b, c = make_vector(1, strength=2.0), make_vector(2), make_vector(3, source=5, scale=1.0)
    _, tensors = read(control_vector_bytes([a, b, c], context), tmp_path)
    np.testing.assert_allclose(tensors["direction.2"], a.steering + b.steering, rtol=1e-6)
    np.testing.assert_allclose(tensors["direction.4"], c.vector, rtol=1e-6)
    assert not tensors["direction.3"].any()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"role": "ablate"}, "is to be ablated, and a GGUF control vector is always added"),
        ({"source": 0}, "enters block 0, and a GGUF control vector has no place before block 2"),
        ({"source": 1}, "enters block 1, and a GGUF control vector has no place before block 2"),
        ({"source": 6}, "enters block 6 of a model with 6 blocks"),
        ({"vector": ONES[:8]}, "has 8 values, the model's width is 16"),
    ],
)
def test_what_the_format_cannot_say_is_refused(
    make_vector: Make, context: ExportContext, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(DctError, match=words):
        control_vector_bytes([make_vector(**changes)], context)


@pytest.mark.filterwarnings("error")
def test_a_sum_beyond_float32_is_refused(make_vector: Make, context: ExportContext) -> None:
    large = make_vector(vector=ONES, scale=2e38)
    with pytest.raises(DctError, match=r"would be refused: direction\.2 has values that are not finite"):
        control_vector_bytes([large, large], context)


def with_keys(**changes: object) -> bytes:
    keys = {key: value for key, value in (KEYS | changes).items() if value is not None}
    return gguf_bytes(keys, {"direction.2": ONES})  # type: ignore[arg-type]


def patched(old: bytes, new: bytes) -> bytes:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


INFO = b"direction.2" + struct.pack("<IQIQ", 1, 16, 0, 0)

REFUSED = {
    "not GGUF": (b"GGML" + GOOD[4:], "does not begin with GGUF"),
    "version 1": (GOOD[:4] + struct.pack("<I", 1) + GOOD[8:], "version 1"),
    "version 4": (GOOD[:4] + struct.pack("<I", 4) + GOOD[8:], "version 4"),
    "big-endian": (GOOD[:4] + struct.pack(">I", 3) + GOOD[8:], "version"),
    "negative count": (GOOD[:8] + struct.pack("<q", -1) + GOOD[16:], "negative"),
    "no tensors": (gguf_bytes(KEYS, {}), "no direction tensor"),
    "direction.0": (gguf_bytes(KEYS, {"direction.0": ONES}), "layer 0: the first is 1"),
    "direction.-1": (gguf_bytes(KEYS, {"direction.-1": ONES}), "layer -1"),
    "direction.x": (gguf_bytes(KEYS, {"direction.x": ONES}), "no direction tensor"),
    "direction": (gguf_bytes(KEYS, {"direction": ONES}), "no direction tensor"),
    "another tensor": (gguf_bytes(KEYS, {"direction.1": ONES, "note": ONES}), "'note' is no direction tensor"),
    "unequal sizes": (gguf_bytes(KEYS, {"direction.1": ONES, "direction.2": ONES[:8]}), "has 8 values"),
    "float16": (patched(INFO, b"direction.2" + struct.pack("<IQIQ", 1, 16, 1, 0)), "type 1, not F32"),
    "2-D": (patched(INFO, b"direction.2" + struct.pack("<IQQIQ", 2, 8, 2, 0, 0)), "2 dimensions, not 1"),
    "5-D": (patched(INFO, b"direction.2" + struct.pack("<IQQQQQIQ", 5, 8, 2, 1, 1, 1, 0, 0)), "5 dimensions"),
    "negative size": (patched(INFO, b"direction.2" + struct.pack("<IqIQ", 1, -16, 0, 0)), "negative size"),
    "wrong offset": (patched(INFO, b"direction.2" + struct.pack("<IQIQ", 1, 16, 0, 32)), "offset 32, expected 0"),
    "long name": (gguf_bytes(KEYS, {"direction." + "1" * 54: ONES}), "64 bytes"),
    "same tensor twice": (
        gguf_bytes(KEYS, {"direction.1": ONES, "direction.2": ONES}).replace(b"direction.2", b"direction.1"),
        "is there twice",
    ),
    "same key twice": (with_keys(**{"controlvector.model_hinx": "a"}).replace(b"hinx", b"hint"), "is there twice"),
    "empty key": (with_keys(**{"": "a"}), "key is empty"),
    "odd alignment": (with_keys(**{"general.alignment": 24}), "no power of 2"),
    "alignment as text": (with_keys(**{"general.alignment": "32"}), "no power of 2"),
    "cut data": (GOOD[:-1], "ends before its data does"),
    "cut header": (GOOD[:60], "in the middle of its header"),
}  # fmt: skip

# llama.cpp takes these; repeng does not, or nobody could mean them.
STRICTER = {
    "no model hint": (with_keys(**{"controlvector.model_hint": None}), "model_hint is missing"),
    "empty model hint": (with_keys(**{"controlvector.model_hint": ""}), "model_hint is empty"),
    "no architecture": (with_keys(**{"general.architecture": None}), "architecture is missing"),
    "a model": (with_keys(**{"general.architecture": "llama"}), "not 'controlvector'"),
    "layer count as text": (with_keys(**{"controlvector.layer_count": "1"}), "layer_count is not u32"),
    "odd number": (gguf_bytes(KEYS, {"direction.02": ONES}), "not written as direction.N"),
    "more after the number": (gguf_bytes(KEYS, {"direction.2.weight": ONES}), "not written as direction.N"),
    "NaN": (gguf_bytes(KEYS, {"direction.2": ONES * np.float32("nan")}), "not finite"),
}


def test_the_linter_passes_what_is_right() -> None:
    assert lint_control_vector(GOOD) == []
    assert lint_control_vector(with_keys(**{"general.alignment": 32, "general.description": "ü" * 100})) == []
    empty_layers = gguf_bytes(KEYS, {f"direction.{n}": 0 * ONES for n in range(1, 100)})
    assert lint_control_vector(empty_layers) == []


@pytest.mark.parametrize("case", [*REFUSED, *STRICTER])
def test_the_linter_names_what_is_wrong(case: str) -> None:
    data, words = (REFUSED | STRICTER)[case]
    assert any(words in problem for problem in lint_control_vector(data)), lint_control_vector(data)


def test_the_linter_withstands_any_cut_and_any_changed_byte() -> None:
    for length in range(len(GOOD)):
        assert lint_control_vector(GOOD[:length]), length
    for place in range(len(GOOD) - 64):
        for value in (0, 1, 127, 255):
            lint_control_vector(GOOD[:place] + bytes([value]) + GOOD[place + 1 :])
