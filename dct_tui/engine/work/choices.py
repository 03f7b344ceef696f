"""What a person chose, as the jobs take it."""

from __future__ import annotations

from dct_tui.jobs.request import FitRequest, prompt_set
from dct_tui.models.generation import Sampling

from ..messages import FitChoice, SamplingChoice


def fit_of(choice: FitChoice) -> FitRequest:
    """The fit that a person chose. Raises DctError for what no model could be fitted with."""
    wanted = FitRequest(
        prompts=prompt_set(choice.prompts, choice.validation, choice.system, choice.seed),
        source=choice.source,
        target=choice.target,
        method=choice.method,  # type: ignore[arg-type]  # checked below
        factors=choice.factors,
        iterations=FitRequest.iterations if choice.iterations is None else choice.iterations,
        orthogonalisation=choice.orthogonalisation,  # type: ignore[arg-type]
        scale=choice.scale,
        seed=choice.seed,
        target_positions=choice.target_positions,
        row_batch=choice.row_batch,
    )
    wanted.check()
    return wanted


def sampling_of(choice: SamplingChoice) -> Sampling:
    """How replies are drawn."""
    return Sampling(choice.max_new_tokens, choice.temperature, choice.top_p, choice.seed)
