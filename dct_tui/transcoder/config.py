"""What is to be fitted, checked before any work is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from .orthogonal import ORTHOGONALISATIONS, Orthogonalisation

Method = Literal["exponential", "quadratic", "linear", "projected", "melbo", "random"]
METHODS: tuple[Method, ...] = get_args(Method)

DEFAULT_FACTORS = 512
DEFAULT_ITERATIONS = 10
DEFAULT_RADII = (1.0, 1.4, 0.8, 1.8)
"""What one radius leads to, another misses: `docs/organisms.md` has the measurement."""


@dataclass(frozen=True)
class FitConfig:
    """Settings of a fit.

    Attributes:
        scale: the input scale R, the norm at which directions are applied, and trained times their radii.
        method: `exponential` (Alg. 3), `quadratic` (Alg. 2), `projected` (Alg. 1′), `linear` (Alg. 1),
            `melbo` (the earlier objective), or `random` (the control).
        factors: number m of directions.
        iterations: number τ of iterations; the linear methods and `random` have none.
        orthogonalisation: how input directions are kept apart after each iteration.
        seed: of everything drawn at random.
        row_batch: the most rows evaluated at once; None lets the Δ suggest. Part of what makes a fit repeatable.
        radii: shares of R at which directions are trained, dealt out to the columns of V in turn. For `exponential` and
            `melbo`; the others work at 0.
    """

    scale: float
    method: Method = "exponential"
    factors: int = DEFAULT_FACTORS
    iterations: int = DEFAULT_ITERATIONS
    orthogonalisation: Orthogonalisation = "polar"
    seed: int = 0
    row_batch: int | None = None
    radii: tuple[float, ...] = DEFAULT_RADII

    def check(self, d_in: int, d_out: int) -> None:
        """Raises ValueError with a sentence that says what to change."""
        if self.method not in METHODS:
            raise ValueError(f"no method {self.method!r}: choose one of {', '.join(METHODS)}")
        if self.orthogonalisation not in ORTHOGONALISATIONS:
            raise ValueError(
                f"no orthogonalisation {self.orthogonalisation!r}: choose one of {', '.join(ORTHOGONALISATIONS)}"
            )
        if self.factors < 1:
            raise ValueError(f"{self.factors} factors cannot be fitted: ask for at least 1")
        if self.iterations < 1:
            raise ValueError(f"{self.iterations} iterations fit nothing: ask for at least 1")
        if not 0 < self.scale < float("inf"):
            raise ValueError(f"the input scale R must be a positive number, not {self.scale}")
        if not self.radii or not all(isinstance(r, int | float) and 0 < r < float("inf") for r in self.radii):
            raise ValueError(f"the radii must be positive shares of R, at least one, not {self.radii}")
        if self.row_batch is not None and self.row_batch < 1:
            raise ValueError(f"a row batch of {self.row_batch} evaluates nothing: give at least 1")
        if self.method in ("linear", "projected"):
            if self.factors > min(d_in, d_out):
                raise ValueError(
                    f"a {d_out} × {d_in} Jacobian has {min(d_in, d_out)} singular vectors, not {self.factors}: "
                    "ask for fewer factors"
                )
        elif self.method != "random" and self.orthogonalisation != "soft" and self.factors > d_in:
            raise ValueError(
                f"{self.factors} orthogonal directions do not fit in width {d_in}: "
                f"ask for at most {d_in} factors, or for soft orthogonalisation"
            )
