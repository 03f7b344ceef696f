"""llama.cpp itself takes our control vectors, refuses what the linter refuses, and adds at the same layer.

llama.cpp runs on the CPU, through the C interface that the `xllamacpp` wheel carries.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from test_gguf_control import GOOD, REFUSED

from dct_tui.export import ExportContext, ExportOptions, ExportVector, export_vectors

WIDTH, DEPTH = 16, 6
TOKENS = [1, 5, 9, 33, 2]
NAMES = {
    "model.layers.": "blk.",
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
_LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)


class _Opaque(ctypes.Structure):
    """A structure passed by value whose layout does not matter here: larger than any of llama.cpp's."""

    _fields_ = (("bytes", ctypes.c_uint64 * 64),)


class _Vector(ctypes.Structure):
    """std::vector: begin, end, end of capacity."""

    _fields_ = (("begin", ctypes.c_void_p), ("end", ctypes.c_void_p), ("capacity", ctypes.c_void_p))


class _LoadInfo(ctypes.Structure):
    """common_control_vector_load_info; before C++11's, std::string is one pointer to its characters."""

    _fields_ = (("strength", ctypes.c_float), ("path", ctypes.c_void_p))


class _ControlVector(ctypes.Structure):
    """common_control_vector_data"""

    _fields_ = (("n_embd", ctypes.c_int), ("data", _Vector))


def _has_expected_strings(library: Path) -> bool:
    """Whether the library was built with the std::string that `LlamaCpp.control_vector` speaks (manylinux2014)."""
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(b"_ZNSs4_Rep20_S_empty_rep_storageE") >= 0


class LlamaCpp:
    """The library of an installed `xllamacpp`."""

    def __init__(self, library: Path) -> None:
        self._lib = ctypes.CDLL(str(library))
        for name in ("llama_model_default_params", "llama_context_default_params", "llama_batch_get_one"):
            getattr(self._lib, name).restype = _Opaque
        for name in ("llama_model_load_from_file", "llama_init_from_model"):
            getattr(self._lib, name).restype = ctypes.c_void_p
        self._lib.llama_get_logits_ith.restype = ctypes.POINTER(ctypes.c_float)
        load = "_Z26common_control_vector_loadRKSt6vectorI31common_control_vector_load_infoSaIS0_EE"
        self._load_control_vector: Any = getattr(self._lib, load)
        self._load_control_vector.restype = _ControlVector
        self._silent = _LOG(lambda level, text, data: None)
        self._lib.llama_log_set(self._silent, None)
        self._lib.llama_backend_init()

    def control_vector(self, path: Path, strength: float = 1.0) -> NDArray[np.float32] | None:
        """What llama.cpp's own loader makes of the file: layers 1 … × d, None where it refuses it."""
        name = str(path).encode()
        # The characters of such a string follow its length, its capacity and its count of references.
        string = ctypes.create_string_buffer(struct.pack("<QQq", len(name), len(name), 0) + name)
        info = _LoadInfo(strength, ctypes.addressof(string) + 24)
        begin = ctypes.addressof(info)
        end = begin + ctypes.sizeof(info)
        result = self._load_control_vector(ctypes.byref(_Vector(begin, end, end)))
        if result.n_embd == -1:
            return None
        count = (result.data.end - result.data.begin) // 4
        floats = (ctypes.c_float * count).from_address(result.data.begin)
        return np.array(floats, np.float32).reshape(-1, result.n_embd)

    def logits(
        self, model: Path, tokens: list[int], vocabulary: int, control: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """The logits after the last token, with the layers of a control vector in force."""
        lib = self._lib
        loaded = ctypes.c_void_p(lib.llama_model_load_from_file(str(model).encode(), lib.llama_model_default_params()))
        assert loaded.value, "llama.cpp refuses the model"
        context = ctypes.c_void_p(lib.llama_init_from_model(loaded, lib.llama_context_default_params()))
        assert context.value, "llama.cpp makes no context"
        if control is not None:
            flat = np.ascontiguousarray(control, np.float32)
            pointer = flat.ctypes.data_as(ctypes.c_void_p)
            layers, width = flat.shape
            code = lib.llama_set_adapter_cvec(context, pointer, ctypes.c_size_t(flat.size), width, 1, layers)
            assert code == 0
        ids = (ctypes.c_int32 * len(tokens))(*tokens)
        assert lib.llama_decode(context, lib.llama_batch_get_one(ids, len(tokens))) == 0
        row = np.ctypeslib.as_array(lib.llama_get_logits_ith(context, -1), (vocabulary,)).copy()
        lib.llama_free(context)
        lib.llama_model_free(loaded)
        return row


@pytest.fixture(scope="module")
def llama() -> LlamaCpp:
    package = pytest.importorskip("xllamacpp")
    library = next(Path(package.__file__).parent.glob("xllamacpp*.so"))
    if not _has_expected_strings(library):
        pytest.skip("this build of xllamacpp has another std::string")
    return LlamaCpp(library)


@pytest.fixture(scope="module")
def model() -> Any:
    """A tiny random Qwen2."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.Qwen2Config(
        vocab_size=64,
        hidden_size=WIDTH,
        intermediate_size=32,
        num_hidden_layers=DEPTH,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
        initializer_range=0.2,
        tie_word_embeddings=False,
    )
    return transformers.Qwen2ForCausalLM(config).eval()


@pytest.fixture(scope="module")
def model_file(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model for llama.cpp."""
    gguf = pytest.importorskip("gguf")
    path = tmp_path_factory.mktemp("llama") / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(DEPTH)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(model.config.rms_norm_eps)
    writer.add_rope_freq_base(model.config.rope_parameters["rope_theta"])
    writer.add_vocab_size(64)
    writer.add_tokenizer_model("no_vocab")
    for name, tensor in model.state_dict().items():
        for ours, theirs in NAMES.items():
            name = name.replace(ours, theirs)
        writer.add_tensor(name, tensor.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_its_loader_reads_what_we_meant(
    llama: LlamaCpp, make_vector: Callable[..., ExportVector], context: ExportContext, tmp_path: Path
) -> None:
    for source in (2, 3, 5):
        for sparse in (False, True):
            vector = make_vector(source=source, strength=-1.5)
            options = ExportOptions(sparse=sparse, force=True)
            (written,) = export_vectors("gguf", [vector], context, tmp_path, options)
            layers = llama.control_vector(written.path)
            assert layers is not None
            # Row 0 is layer 1, and direction.N is added to the output of block N.
            np.testing.assert_array_equal(layers[source - 2], vector.steering)
            assert np.count_nonzero(layers.any(axis=1)) == 1
            halved = llama.control_vector(written.path, 0.5)
            assert halved is not None
            np.testing.assert_allclose(halved[source - 2], vector.steering / 2, rtol=1e-6)


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_it_refuses_what_the_linter_refuses(llama: LlamaCpp, tmp_path: Path, case: str) -> None:
    (tmp_path / "good.gguf").write_bytes(GOOD)
    assert llama.control_vector(tmp_path / "good.gguf") is not None
    (tmp_path / "bad.gguf").write_bytes(REFUSED[case][0])
    assert llama.control_vector(tmp_path / "bad.gguf") is None


def test_it_adds_at_the_layer_we_fitted(
    llama: LlamaCpp,
    model: Any,
    model_file: Path,
    make_vector: Callable[..., ExportVector],
    context: ExportContext,
    tmp_path: Path,
) -> None:
    torch = pytest.importorskip("torch")

    def steered(block: int | None, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits of transformers with `vector` added to what enters a block."""

        def add(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
            return (args[0] + torch.from_numpy(vector), *args[1:]), kwargs

        hook = None if block is None else model.model.layers[block].register_forward_pre_hook(add, with_kwargs=True)
        with torch.no_grad():
            row: NDArray[np.float32] = model(torch.tensor([TOKENS])).logits[0, -1].numpy()
        if hook is not None:
            hook.remove()
        return row

    vector = make_vector(source=3, scale=3.0)
    (written,) = export_vectors("gguf", [vector], context, tmp_path)
    layers = llama.control_vector(written.path)
    theirs = llama.logits(model_file, TOKENS, 64, layers)
    differences = [float(np.abs(theirs - steered(block, vector.steering)).max()) for block in range(DEPTH)]
    assert differences[3] < 0.01
    assert min(differences[:3] + differences[4:]) > 0.1
    unsteered = llama.logits(model_file, TOKENS, 64)
    assert float(np.abs(unsteered - steered(None, vector.steering)).max()) < 0.01
    assert float(np.abs(unsteered - theirs).max()) > 0.1
