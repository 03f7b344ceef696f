from __future__ import annotations

from pathlib import Path

import pytest

from dct_tui.models.loading import LanguageModel


@pytest.fixture(scope="module")
def lm(llama: Path) -> LanguageModel:
    """The tiny Llama, open."""
    from dct_tui.api import open_model

    return open_model(str(llama))
