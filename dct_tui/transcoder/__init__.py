"""The mathematics of Deep Causal Transcoding. Knows tensors and a callable Δ; no model, no disk, no screen."""

from .calibration import Calibration, calibrate
from .config import METHODS, FitConfig, Method
from .delta import Delta, FunctionDelta, NotFiniteError
from .fit import Enough, fit
from .orthogonal import ORTHOGONALISATIONS, Orthogonalisation
from .products import Products
from .ranking import by_contrast, by_distinctness, by_strength, contrast_scores
from .result import FitState, Iteration, Transcoder

__all__ = [
    "METHODS",
    "ORTHOGONALISATIONS",
    "Calibration",
    "Delta",
    "Enough",
    "FitConfig",
    "FitState",
    "FunctionDelta",
    "Iteration",
    "Method",
    "NotFiniteError",
    "Orthogonalisation",
    "Products",
    "Transcoder",
    "by_contrast",
    "by_distinctness",
    "by_strength",
    "calibrate",
    "contrast_scores",
    "fit",
]
