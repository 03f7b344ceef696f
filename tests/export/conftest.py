from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dct_tui.export import ExportContext, ExportVector

D, DEPTH = 16, 6


@pytest.fixture
def context() -> ExportContext:
    return ExportContext(
        name="my session",
        model="org/tiny",
        commit="c" * 40,
        model_type="qwen2",
        depth=DEPTH,
        width=D,
        source=3,
        target=5,
        method="exponential",
        seed=7,
        prompts_sha256={"fit": "a" * 64, "validation": "b" * 64},
        versions={"dct-tui": "0.1.0"},
    )


@pytest.fixture
def make_vector() -> Callable[..., ExportVector]:
    """A vector of feature `feature`, its values drawn from that number."""

    def make(feature: int = 0, **changes: Any) -> ExportVector:
        v, u = np.random.default_rng(feature).standard_normal((2, D)).astype(np.float32)
        parts: dict[str, Any] = {
            "name": f"feature {feature}",
            "vector": v / np.linalg.norm(v),
            "counterpart": u / np.linalg.norm(u),
            "scale": 4.25,
            "source": 3,
            "feature": feature,
        }
        return ExportVector(**parts | changes)

    return make
