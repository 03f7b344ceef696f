"""The words a direction promotes: the logit lens."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import DctError
from ..models.loading import LanguageModel
from ..models.templating import check_unicode

WORDS = 8
ROWS = 128


@torch.no_grad()
def promoted_words(lm: LanguageModel, directions: Tensor, count: int = WORDS) -> list[list[str]]:
    """The tokens whose logits a small step along each direction raises most, through the final norm.

    Args:
        lm: the model.
        directions: d × m.
        count: how many words.

    Returns:
        for each direction its words, most promoted first.
    """
    words = []
    for rows in directions.T.split(ROWS):
        logits = lens(lm, rows)
        best = logits.topk(min(count, logits.shape[1]), dim=1).indices.tolist()
        words += [[_word(lm, token) for token in tokens] for tokens in best]
    return words


def lens(lm: LanguageModel, rows: Tensor) -> Tensor:
    """Directions (rows × d) as logits (rows × vocabulary).

    The norm is taken of the bare direction, less what it gives for none, so that its gains count and its bias does not.
    """
    unembedding = lm.anatomy.unembedding
    weight = next(unembedding.parameters())
    hidden = rows.to(weight.device, weight.dtype)
    nothing = torch.zeros_like(hidden[:1])
    if lm.anatomy.final_norm is not None:
        hidden = lm.anatomy.final_norm(hidden) - lm.anatomy.final_norm(nothing)
    logits: Tensor = unembedding(hidden) - unembedding(nothing)
    return logits.float()


def contrast_direction(lm: LanguageModel, towards: str, away: str) -> Tensor:
    """w = W_U[first token of `towards`] − W_U[first token of `away`], d, in float32.

    Raises:
        DctError: a word without a token, or two words that begin with the same one.
    """
    ids = [_first_token(lm, word) for word in (towards, away)]
    if ids[0] == ids[1]:
        raise DctError(
            f"{towards!r} and {away!r} begin with the same token, so nothing tells them apart", "choose other words"
        )
    rows = next(lm.anatomy.unembedding.parameters())[ids].float()
    return rows[0] - rows[1]


def _first_token(lm: LanguageModel, word: str) -> int:
    ids = lm.tokenizer(check_unicode(word), add_special_tokens=False)["input_ids"]
    if not ids or ids[0] == lm.tokenizer.unk_token_id:
        raise DctError(f"{word!r} is no token of {lm.source.name}", "choose another word")
    return int(ids[0])


def _word(lm: LanguageModel, token: int) -> str:
    return str(lm.tokenizer.decode([token])).strip() or repr(str(lm.tokenizer.convert_ids_to_tokens(token)))
