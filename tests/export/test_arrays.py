from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

import numpy as np
import orjson
import pytest
import safetensors.numpy

from dct_tui.errors import DctError
from dct_tui.export import ExportContext, ExportVector
from dct_tui.export.arrays import npz_bytes, safetensors_bytes

Make = Callable[..., ExportVector]


def header(data: bytes) -> dict[str, str]:
    length = int.from_bytes(data[:8], "little")
    metadata: dict[str, str] = orjson.loads(data[8 : 8 + length])["__metadata__"]
    return metadata


def test_safetensors_in_torch(make_vector: Make, context: ExportContext) -> None:
    torch_files = pytest.importorskip("safetensors.torch")
    vectors = [make_vector(1), make_vector(2, strength=-0.5)]
    arrays = torch_files.load(safetensors_bytes(vectors, context))
    assert {name: (tuple(t.shape), str(t.dtype)) for name, t in arrays.items()} == {
        "V": ((16, 2), "torch.float32"),
        "U": ((16, 2), "torch.float32"),
        "scale": ((), "torch.float32"),
        "strength": ((2,), "torch.float32"),
    }
    for column, vector in enumerate(vectors):
        np.testing.assert_array_equal(arrays["V"][:, column].numpy(), vector.vector)
        np.testing.assert_array_equal(arrays["U"][:, column].numpy(), vector.counterpart)
        steering = arrays["strength"][column] * arrays["scale"] * arrays["V"][:, column]
        np.testing.assert_allclose(steering.numpy(), vector.steering, rtol=1e-6)


def test_metadata_says_where_the_vectors_belong(make_vector: Make, context: ExportContext) -> None:
    metadata = header(safetensors_bytes([make_vector(1), make_vector(2)], context))
    assert metadata == {
        "format": "dct-tui vectors",
        "format_version": "1",
        "model": "org/tiny",
        "commit": "c" * 40,
        "model_type": "qwen2",
        "depth": "6",
        "width": "16",
        "role": "add",
        "site": "residual stream entering block 3, every position",
        "source_block": "3",
        "source_hidden_states": "3",
        "target_block": "5",
        "target_hidden_states": "5",
        "R": "4.25",
        "method": "exponential",
        "seed": "7",
        "names": '["feature 1","feature 2"]',
        "features": "[1,2]",
        "directions": '["input","input"]',
        "strengths": "[1.0,1.0]",
        "prompts_sha256": orjson.dumps(context.prompts_sha256).decode(),
        "versions": '{"dct-tui":"0.1.0"}',
    }


def test_a_target_after_the_last_block_is_no_hidden_state(make_vector: Make, context: ExportContext) -> None:
    at_the_end = dataclasses.replace(context, target=context.depth)
    assert header(safetensors_bytes([make_vector()], at_the_end))["target_hidden_states"].startswith("none")


def test_an_ablation_says_so(make_vector: Make, context: ExportContext) -> None:
    metadata = header(safetensors_bytes([make_vector(role="ablate")], context))
    assert (metadata["role"], metadata["ablation"], metadata["layers"]) == ("ablate", "writes", "null")
    assert metadata["site"] == "what attention and MLP of the blocks write to the residual stream, projected out"
    chosen = header(safetensors_bytes([make_vector(role="ablate", ablation="stream", layers=(2, 4))], context))
    assert (chosen["ablation"], chosen["layers"]) == ("stream", "[2,4]")
    assert chosen["site"] == "residual stream after each of the blocks, projected out"


def test_npz_opens_without_unpickling_and_holds_the_same(make_vector: Make, context: ExportContext) -> None:
    vectors = [make_vector(1), make_vector(2)]
    data = npz_bytes(vectors, context)
    expected = safetensors.numpy.load(safetensors_bytes(vectors, context))
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        assert set(archive.files) == {*expected, "metadata"}
        for name, array in expected.items():
            np.testing.assert_array_equal(archive[name], array)
            assert archive[name].dtype == np.float32
        assert orjson.loads(str(archive["metadata"])) == header(safetensors_bytes(vectors, context))
    assert npz_bytes(vectors, context) == data


def test_an_output_direction_goes_to_u(make_vector: Make, context: ExportContext) -> None:
    vector = make_vector(1, direction="output", source=5)
    arrays = safetensors.numpy.load(safetensors_bytes([vector], context))
    np.testing.assert_array_equal(arrays["U"][:, 0], vector.vector)
    np.testing.assert_array_equal(arrays["V"][:, 0], vector.counterpart)


def test_a_vector_without_counterpart_leaves_that_array_out(make_vector: Make, context: ExportContext) -> None:
    mean = make_vector(1, counterpart=None, name="mean of 1 and 2")
    assert set(safetensors.numpy.load(safetensors_bytes([mean], context))) == {"V", "scale", "strength"}


@pytest.mark.parametrize("changes", [{"source": 4}, {"scale": 1.0}, {"role": "ablate"}])
def test_what_one_file_cannot_tell_apart_is_refused(
    make_vector: Make, context: ExportContext, changes: dict[str, object]
) -> None:
    for build in (safetensors_bytes, npz_bytes):
        with pytest.raises(DctError, match="differ in layer, scale or role"):
            build([make_vector(1), make_vector(2, **changes)], context)


def test_mixed_directions_without_counterparts_are_refused(make_vector: Make, context: ExportContext) -> None:
    mixed = [make_vector(1, counterpart=None), make_vector(2, counterpart=None, direction="output")]
    with pytest.raises(DctError, match="mixed"):
        safetensors_bytes(mixed, context)


@pytest.mark.parametrize(
    "changes",
    [
        {"vector": np.full(16, np.nan, np.float32)},
        {"vector": np.zeros(16, np.float32)},
        {"vector": np.ones((16, 1), np.float32)},
        {"counterpart": np.full(16, np.inf, np.float32)},
        {"scale": 0.0},
        {"scale": float("nan")},
        {"strength": 0.0},
        {"strength": float("inf")},
    ],
)
def test_what_would_do_nothing_or_harm_is_no_vector(make_vector: Make, changes: dict[str, object]) -> None:
    with pytest.raises(DctError, match="feature 0"):
        make_vector(**changes)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("strength", "scale"), [(1e39, 1.0), (1e30, 1e30), (1e-30, 1e-30), (1e-60, 1.0), (1e39, 1e-39)]
)
def test_strengths_beyond_float32(make_vector: Make, strength: float, scale: float) -> None:
    with pytest.raises(DctError, match="beyond what float32 holds"):
        make_vector(1, strength=strength, scale=scale)
    with pytest.raises(DctError, match="beyond what float32 holds"):
        make_vector(1, strength=-strength, scale=scale)
