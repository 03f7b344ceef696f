"""What a fit gives: the transcoder, and how the fit went."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from .config import FitConfig
from .strengths import activation


@dataclass(frozen=True)
class Iteration:
    """How one iteration went.

    Attributes:
        number: from 1.
        objective: the method's own objective at the orthogonalised directions where its gradients were taken.
        change: mean over factors of 1 − cos(v before, v after).
        settled: share of factors with that cosine above .999: they turned by less than 2.6°.
        rows: rows evaluated in this iteration.
        seconds: wall time of this iteration, without what the Δ's `on_rows` took of it.
    """

    number: int
    objective: float
    change: float
    settled: float
    rows: int
    seconds: float


@dataclass(frozen=True)
class FitState:
    """Where a fit stands after an iteration: all that is needed to go on.

    Attributes:
        iteration: the last finished one; 0 after initialisation.
        V: input directions, d × m, unit columns.
        row_batch: as last used.
        history: one entry an iteration.
        gradient_norms: of the gradients that V came from, m; None before the first iteration. Soft
            orthogonalisation weighs directions by them.
    """

    iteration: int
    V: Tensor
    row_batch: int
    history: tuple[Iteration, ...] = ()
    gradient_norms: Tensor | None = None


@dataclass(frozen=True)
class Transcoder:
    """A fitted shallow MLP, Δ(Rθ) ≈ Σ_ℓ α_ℓ σ(⟨v_ℓ, θ⟩) u_ℓ.

    Attributes:
        V: input directions, d × m, unit columns.
        U: output directions, d' × m; column ℓ, a unit vector, belongs to column ℓ of V (zero where v has no effect).
        alpha: strengths α, m.
        config: what was asked for, with the row batch that was used.
        history: one entry an iteration.
    """

    V: Tensor
    U: Tensor
    alpha: Tensor
    config: FitConfig
    history: tuple[Iteration, ...] = field(default=())

    @property
    def sign_is_free(self) -> bool:
        """Whether −v is as much of a feature as v: the linear and quadratic methods leave the sign open."""
        return self.config.method in ("linear", "projected", "quadratic")

    def __call__(self, theta: Tensor) -> Tensor:
        """The transcoder's own estimate of Δ(Rθ) for rows θ (rows × d); rows × d'."""
        return (activation(self.config.method, theta @ self.V) * self.alpha) @ self.U.T
