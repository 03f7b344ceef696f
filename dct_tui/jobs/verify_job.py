"""Exports read by the programs they are for, and a forward pass under them compared with ours."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import log_softmax

from ..errors import DctError
from ..export import Check, ExportContext, Exported, write_receipts
from ..export.reading import READ, read_back
from ..models.interventions import Intervened
from ..models.language_model import LanguageModel
from ..models.slices import split_hidden
from ..models.templating import Batch, as_messages, encode, pad
from .edit_job import split, with_places
from .export_readers import READERS, Subject, UnreadError

__all__ = ["CLOSE", "verify_exports"]

CLOSE = 1e-3  # nats
TOLD = 10.0  # how much more than the difference the vectors must move the model for it to tell anything
PROBES = ("The quick brown fox jumps over the lazy dog.", "Why is the sky blue? Tell me in one sentence.")
LONGEST = 64
LOGITS = "logits"


def verify_exports(
    lm: LanguageModel,
    exports: Sequence[Exported],
    context: ExportContext,
    texts: Sequence[str] = PROBES,
    *,
    on_export: Callable[[int], None] = lambda done: None,
) -> list[list[Check]]:
    """What was verified of each export, by its reader; noted in the receipts beside the files too.

    Args:
        lm: the model of the session.
        exports: what `write_exports` or `export_with_model` wrote.
        texts: what the forward passes run on.
        on_export: called before each with how many are done; what it raises ends it, and nothing is noted.
    """
    probes = [pad(lm, [encode(lm, as_messages(text))[-LONGEST:]]) for text in texts]
    checks = []
    for done, export in enumerate(exports):
        on_export(done)
        subject = Subject(lm, export, with_places(lm, context, export.vectors))
        checks.append([*read_back(export), *_try(subject, probes)])
    write_receipts(list(zip(exports, checks, strict=True)), context)
    return checks


def _try(subject: Subject, probes: Sequence[Batch]) -> list[Check]:
    reader, read = READERS[subject.export.format]
    ablations, steering = split(subject.lm, subject.export.vectors)
    plain = [_logits(subject.model, batch, subject.lm.pads) for batch in probes]
    with Intervened(subject.lm, [[*ablations, *steering]]):
        ours = [_logits(subject.model, batch, subject.lm.pads) for batch in probes]
    try:
        name = f"{reader} {version(reader)}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with read(subject) as model:
                theirs = [_logits(model, batch, subject.lm.pads) for batch in probes]
    except PackageNotFoundError:
        return [Check(LOGITS, reader, None, f"not verified: the {reader} package is not installed")]
    except UnreadError as error:
        return [Check(LOGITS, reader, None, f"not verified: {error}")]
    except (DctError, OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        return [Check(READ, reader, False, f"it cannot be read: {first}")]
    apart, moved = _divergence(ours, theirs), _divergence(ours, plain)
    # Where the vectors hardly move the model, being close to our hooks says nothing.
    passed = (None if apart * TOLD >= moved else True) if apart <= CLOSE else False
    said = f"KL {apart:.1e} nats from the forward pass under our hooks, which moves the model by {moved:.1e}"
    if passed is False and (rounding := _rounding(subject, probes, ours)) * TOLD > apart:
        # Routers of experts choose others by rounding; that is no fault of the file.
        passed = None
        said = f"not verified: {said}, and rounding alone moves it by {rounding:.1e}: open the model in fp32 to tell"
    elif passed is None:
        said = f"not verified: {said}, too little to tell"
    figures = {
        "kl_max": apart,
        "kl_unsteered_max": moved,
        "tokens": float(sum(batch.ids.shape[1] for batch in probes)),
    }
    return [
        Check(READ, name, True, "it loads"),
        Check(LOGITS, name, passed, f"{said} ({subject.lm.dtype})".replace("torch.", ""), figures),
    ]


def _rounding(subject: Subject, probes: Sequence[Batch], ours: Sequence[Tensor]) -> float:
    """How far the forward pass under our hooks moves when what enters block 0 is rounded otherwise, in nats."""
    lm = subject.lm
    if lm.dtype not in (torch.float16, torch.bfloat16):
        return 0.0
    generator = torch.Generator().manual_seed(5)

    def jitter(block: nn.Module, args: Any, kwargs: Any) -> Any:
        hidden, rest, named = split_hidden(args, kwargs)
        signs = torch.randint(-1, 2, hidden.shape, generator=generator).to(hidden)
        return (hidden + hidden * signs * torch.finfo(hidden.dtype).eps, *rest), named

    ablations, steering = split(lm, subject.export.vectors)
    handle = lm.anatomy.blocks[0].register_forward_pre_hook(jitter, with_kwargs=True)
    try:
        with Intervened(lm, [[*ablations, *steering]]):
            return _divergence(ours, [_logits(lm.model, batch, lm.pads) for batch in probes])
    finally:
        handle.remove()


@torch.no_grad()
def _logits(model: nn.Module, batch: Batch, pads: bool) -> Tensor:
    """Of every token of a text, tokens × vocabulary."""
    settings: dict[str, Any] = {"attention_mask": batch.mask} if pads else {}
    logits: Tensor = model(input_ids=batch.ids, use_cache=False, **settings).logits[0]
    return logits.float().cpu()


def _divergence(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> float:
    """The largest KL(ours ‖ theirs) of any token, in nats."""
    largest = 0.0
    for one, other in zip(ours, theirs, strict=True):
        p, q = log_softmax(one.double(), dim=-1), log_softmax(other.double(), dim=-1)
        terms = torch.where(p == -torch.inf, 0.0, p.exp() * (p - q))
        largest = max(largest, float(terms.sum(dim=-1).max()))
    return largest
