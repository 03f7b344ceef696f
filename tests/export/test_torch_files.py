"""Files that torch reads without unpickling."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dct_tui.errors import DctError
from dct_tui.export import ExportContext, ExportOptions, ExportVector, export_vectors
from dct_tui.export.torch_file import torch_file_bytes

torch = pytest.importorskip("torch")
Make = Callable[..., ExportVector]


def test_torch_reads_tensors_text_and_numbers(tmp_path: Path) -> None:
    square = np.arange(6, dtype=np.float32).reshape(2, 3)
    content = {"tensors": {3: square, -1: square[0], 7: square.T}, "text": "é\n" * 300, "number": -70_000}
    (tmp_path / "x.pt").write_bytes(torch_file_bytes(content))
    for mapped in (False, True):
        loaded = torch.load(tmp_path / "x.pt", weights_only=True, mmap=mapped)
        assert loaded["text"] == content["text"] and loaded["number"] == -70_000
        assert {key: tensor.tolist() for key, tensor in loaded["tensors"].items()} == {
            3: square.tolist(), -1: square[0].tolist(), 7: square.T.tolist()
        }  # fmt: skip
        assert not loaded["tensors"][3].requires_grad and loaded["tensors"][3].dtype == torch.float32
    assert torch_file_bytes(content) == torch_file_bytes(content)


def test_a_steering_vector(make_vector: Make, context: ExportContext, tmp_path: Path) -> None:
    vectors = [make_vector(1, strength=-0.5), make_vector(2), make_vector(3, source=5, scale=1.0)]
    (written,) = export_vectors("steering-vectors", vectors, context, tmp_path, ExportOptions(combine=True))
    saved = torch.load(written.path, weights_only=True)
    assert saved["layer_type"] == "decoder_block"
    assert set(saved["layer_activations"]) == {2, 4}
    # Layer L of steering-vectors is the output of block L, so what enters block 3 is layer 2.
    np.testing.assert_allclose(
        saved["layer_activations"][2].numpy(), -0.5 * 4.25 * vectors[0].vector + 4.25 * vectors[1].vector, rtol=1e-5
    )
    np.testing.assert_allclose(saved["layer_activations"][4].numpy(), vectors[2].vector, rtol=1e-6)
    assert saved["metadata"]["model"] == "org/tiny" and "feature 3" in saved["metadata"]["names"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"role": "ablate"}, "only adds"),
        ({"source": 0}, "enters block 0, and steering-vectors only adds to what a block gives"),
        ({"source": 6}, "enters block 6 of a model with 6 blocks"),
        ({"vector": np.ones(8, np.float32)}, "has 8 values, the model's width is 16"),
    ],
)
def test_what_it_cannot_say_is_refused(
    make_vector: Make, context: ExportContext, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(DctError, match=words):
        export_vectors("steering-vectors", [make_vector(**changes)], context, tmp_path)
    assert not list(tmp_path.iterdir())
