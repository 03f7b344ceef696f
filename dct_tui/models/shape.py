"""How large the parts of a model are, read off its config and the headers of its weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import DctError
from .catalog import ModelSource
from .checkpoint import Stored, read_checkpoint, weights_in
from .summary import first_number, packed_bits, read_config, text_config

SIZES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}
KEPT_AS_STORED = {"I32", "I8", "U8", "I64", "BOOL", "F8_E4M3", "F8_E5M2"}


@dataclass(frozen=True)
class ModelShape:
    """What forecasts need of a model.

    Attributes:
        depth, width: blocks, and d.
        heads: attention heads a block.
        inner: width of what a token passes in an MLP; of its experts together where it has some.
        block_weights: those that one token meets in a block, on average over blocks.
        vocabulary: rows of the unembedding.
        dtype: of the checkpoint, as torch names it.
        floats: weights that are opened in the dtype that is asked for.
        packed_bytes: of those that stay as they are stored.
    """

    depth: int
    width: int
    heads: int
    inner: int
    block_weights: int
    vocabulary: int
    dtype: str
    floats: int
    packed_bytes: int

    def bytes_in(self, dtype: str) -> int:
        """Bytes of the weights, opened in a dtype as torch names it."""
        return self.floats * SIZES.get(dtype, 4) + self.packed_bytes


def read_shape(source: ModelSource) -> ModelShape:
    """Measures a model's files.

    Raises:
        DctError: the config or the headers do not say enough.
    """
    config, problem = read_config(source.folder)
    text = text_config(config)
    weights = read_checkpoint(source.folder)
    depth = first_number(text, "num_hidden_layers", "n_layer", "n_layers", "num_layers")
    width = first_number(text, "hidden_size", "n_embd", "d_model")
    problem = problem or weights.problem or ("" if depth and width else "its config gives no depth or width")
    if problem or depth is None or width is None:
        raise DctError(f"nothing can be forecast of {source.name}: {problem}", "open it to see more")
    packed = [tensor for tensor in weights.tensors if tensor.dtype in KEPT_AS_STORED]
    named = str(config.get("dtype") or config.get("torch_dtype") or text.get("dtype"))
    experts = first_number(text, "num_local_experts", "num_experts", "n_routed_experts")
    chosen = first_number(text, "num_experts_per_tok", "num_experts_per_token", "moe_topk") or 1
    bits = packed_bits(config)

    def met(tensor: Stored) -> float:
        share = chosen / experts if experts and ".experts." in tensor.name else 1.0
        return share * weights_in(tensor, bits)

    blocks = weights.block_tensors(depth)
    inner = _inner(text, width, bool(experts), chosen)
    guess = 4 * width**2 + 3 * width * inner
    return ModelShape(
        depth=depth,
        width=width,
        heads=first_number(text, "num_attention_heads", "n_head", "n_heads") or max(1, width // 64),
        inner=inner,
        block_weights=round(_sum(blocks, met) / depth) if blocks else guess,
        vocabulary=first_number(text, "vocab_size") or 32_000,
        dtype=named if named in SIZES else next((d for d in weights.dtypes if d in SIZES), "float32"),
        floats=sum(tensor.elements for tensor in weights.tensors if tensor.dtype not in KEPT_AS_STORED),
        packed_bytes=sum(tensor.bytes for tensor in packed),
    )


def _inner(text: dict[str, object], width: int, has_experts: bool, chosen: int) -> int:
    if has_experts and (of_one := first_number(text, "moe_intermediate_size", "expert_ffn_hidden_size")):
        return of_one * chosen + (first_number(text, "shared_expert_intermediate_size") or 0)
    whole = first_number(text, "intermediate_size", "ffn_hidden_size", "n_inner", "d_ff", "ffn_dim") or 4 * width
    return whole * (chosen if has_experts else 1)


def _sum(blocks: dict[int, list[Stored]], met: Callable[[Stored], float]) -> float:
    return sum(met(tensor) for tensors in blocks.values() for tensor in tensors)
