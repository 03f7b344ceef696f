"""A Python file that does to a transformers model what the workbench did: hooks, and nothing of dct-tui."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

from dct_tui.errors import DctError

from .vectors import ExportContext, ExportVector, Float32

__all__ = ["snippet_bytes"]


def snippet_bytes(vectors: Sequence[ExportVector], context: ExportContext) -> bytes:
    """A file with `apply(model)`, which returns the handles of its hooks; run as a program it chats.

    Raises:
        DctError: vectors for a block that the model lacks or of another width, or a direction to ablate from what
            blocks write while the modules that write are not known.
    """
    for vector in vectors:
        _require_fitting(vector, context)
    constants = [
        f"MODEL = {context.model!a}",
        f"COMMIT = {context.commit!a}",
        f"DEPTH, WIDTH = {context.depth}, {context.width}",
        f"BLOCKS = {context.blocks or ''!a}  # where the blocks are; empty: the one list of that many modules",
        "# What is added to the residual stream: its name, the block it enters, strength · R · v.",
        *_table("STEER", [(v.name, v.source, _packed(v.steering)) for v in vectors if v.role == "add"]),
        "# What is projected out: its name, out of what, in which blocks, the direction.",
        *_table(
            "ABLATE",
            [(v.name, v.ablation, _layers(v, context), _packed(v.vector)) for v in vectors if v.role == "ablate"],
        ),
        "# For each block, the modules that write to the residual stream.",
        *_table("WRITERS", [tuple(names) for names in context.writers or ()] if _needs_writers(vectors) else []),
    ]
    return (_HEAD + "\n".join(constants) + "\n" + _CODE).encode()


def _require_fitting(vector: ExportVector, context: ExportContext) -> None:
    layers = (vector.source,) if vector.role == "add" else _layers(vector, context)
    if beyond := [layer for layer in layers if not 0 <= layer < context.depth]:
        raise DctError(f"{vector.name} is for block {beyond[0]} of a model with {context.depth} blocks")
    if vector.vector.size != context.width:
        raise DctError(f"{vector.name} has {vector.vector.size} values, the model's width is {context.width}")
    if _needs_writers([vector]) and context.writers is None:
        raise DctError(
            f"which modules write what {vector.name} is to be ablated from is known only with the model open",
            "open the model with --verify, or ablate from the stream: --ablation stream",
        )


def _needs_writers(vectors: Sequence[ExportVector]) -> bool:
    return any(vector.role == "ablate" and vector.ablation == "writes" for vector in vectors)


def _layers(vector: ExportVector, context: ExportContext) -> tuple[int, ...]:
    return tuple(range(context.depth)) if vector.layers is None else vector.layers


def _packed(vector: Float32) -> str:
    return base64.b64encode(np.ascontiguousarray(vector, "<f4").tobytes()).decode()


def _table(name: str, rows: Sequence[tuple[object, ...]]) -> list[str]:
    # ascii() of text, numbers and tuples of them: whatever a name holds, it stays a name.
    return [f"{name} = [", *(f"    {row!a}," for row in rows), "]"]


_HEAD = '''"""Vectors found by dct-tui, as hooks on a Hugging Face model. Needs torch and transformers, nothing else.

    python THIS_FILE [MODEL]          chats; MODEL is a folder or a hub id

    handles = apply(model)            in a notebook; model.generate and model(...) are then under the vectors
    for handle in handles:
        handle.remove()               and here no more
"""

import base64
import struct
import sys

import torch

'''

_CODE = '''

def unpack(text):
    data = base64.b64decode(text)
    return torch.tensor(struct.unpack(f"<{len(data) // 4}f", data))


def find_blocks(model):
    if BLOCKS:
        return model.get_submodule(BLOCKS)
    found = [m for m in model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == DEPTH]
    if len(found) != 1:
        raise ValueError(f"the model has {len(found)} lists of {DEPTH} blocks: set BLOCKS to the name of the right one")
    return found[0]


def adding(vector):
    """A hook that adds to what enters a block, at every position."""

    def hook(block, args, kwargs):
        hidden = args[0] if args else kwargs["hidden_states"]
        steered = hidden + vector.to(hidden.device, hidden.dtype)
        return ((steered, *args[1:]), kwargs) if args else ((), {**kwargs, "hidden_states": steered})

    return hook


def projecting(directions):
    """A hook that takes the span of these directions out of what a module returns."""
    unit = torch.nn.functional.normalize(torch.stack(directions).double(), dim=1)
    _, sizes, right = torch.linalg.svd(unit, full_matrices=False)
    span = right[sizes > 1e-6]

    def hook(module, args, output):
        hidden = output if isinstance(output, torch.Tensor) else output[0]
        precise = hidden.to(torch.promote_types(hidden.dtype, torch.float32))
        basis = span.to(precise)
        kept = (precise - (precise @ basis.T) @ basis).to(hidden.dtype)
        return kept if isinstance(output, torch.Tensor) else (kept, *output[1:])

    return hook


def apply(model):
    """Puts the hooks on; returns their handles."""
    blocks, handles = find_blocks(model), []
    entering = {}
    for _, block, packed in STEER:
        entering[block] = entering.get(block, 0) + unpack(packed)
    for block, vector in entering.items():
        handles.append(blocks[block].register_forward_pre_hook(adding(vector), with_kwargs=True))
    written, left = {}, {}
    for _, place, layers, packed in ABLATE:
        for block in layers:
            (written if place == "writes" else left).setdefault(block, []).append(unpack(packed))
    for block, directions in written.items():
        for name in WRITERS[block]:
            handles.append(model.get_submodule(name).register_forward_hook(projecting(directions)))
    for block, directions in left.items():
        handles.append(blocks[block].register_forward_hook(projecting(directions)))
    return handles


def encode(tokenizer, messages):
    if tokenizer.chat_template:
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]
    return tokenizer("\\n\\n".join(m["content"] for m in messages), return_tensors="pt")["input_ids"]


def shown(text):
    """The text without what a terminal would obey."""
    return "".join(c if c.isprintable() or c in "\\n\\t" else "\\ufffd" for c in text)


@torch.no_grad()
def reply(model, tokenizer, messages, max_new_tokens=256):
    """The greedy reply to a conversation."""
    ids = encode(tokenizer, messages).to(model.device)
    written = model.generate(
        ids, attention_mask=torch.ones_like(ids), do_sample=False, num_beams=1, max_new_tokens=max_new_tokens
    )
    return tokenizer.decode(written[0, ids.shape[1] :], skip_special_tokens=True)


def main(name=MODEL, revision=COMMIT):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
    model = AutoModelForCausalLM.from_pretrained(name, revision=revision, dtype="auto", use_safetensors=True).eval()
    if torch.cuda.is_available():
        model.to("cuda")
    apply(model)
    messages = []
    for line in sys.stdin:
        messages.append({"role": "user", "content": line.rstrip("\\n")})
        messages.append({"role": "assistant", "content": reply(model, tokenizer, messages)})
        print(shown(messages[-1]["content"]), flush=True)


if __name__ == "__main__":
    main(*([sys.argv[1], None] if len(sys.argv) > 1 else []))
'''
