from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor

from benchmarks.zoo import save_family
from benchmarks.zoo_table import FAMILIES
from dct_tui.models.loading import LanguageModel, open_model

FAMILY = {family.name: family for family in FAMILIES}
Folder = Callable[[str], Path]
Opened = Callable[[str], LanguageModel]


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The folder of a tiny random model of a family of the zoo. Not to be changed."""

    @cache
    def make(name: str) -> Path:
        return save_family(FAMILY[name], tmp_path_factory.mktemp("zoo"))

    return make


@pytest.fixture(scope="session")
def opened(folder_of: Folder) -> Opened:
    """The same, opened, in float32 on the CPU."""

    @cache
    def make(name: str) -> LanguageModel:
        return open_model(str(folder_of(name)), device="cpu")

    return make


@pytest.fixture(scope="session")
def exact(folder_of: Folder) -> Opened:
    """The same in float64."""

    @cache
    def make(name: str) -> LanguageModel:
        lm = open_model(str(folder_of(name)), device="cpu")
        lm.model.double()
        return lm

    return make


@pytest.fixture
def model_folder(folder_of: Folder, tmp_path: Path) -> Path:
    """A Llama's folder to be damaged."""
    return shutil.copytree(folder_of("Llama"), tmp_path / "model")


@pytest.fixture
def random() -> Callable[..., Tensor]:
    """Random tensors, the same for every run."""
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: torch.randn(*shape, generator=generator)
