"""Every export format on many architectures: written, read by the program it is for, and its logits compared with ours.

A refusal counts as verified only where its reason holds, by a check of its own (`exports_reasons`).
"""

from __future__ import annotations

import tempfile
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from transformers.utils import logging as transformers_logging

from dct_tui.errors import DctError
from dct_tui.export import FORMATS, ExportContext, ExportVector
from dct_tui.export.vectors import Role
from dct_tui.jobs.edit_job import export_with_model
from dct_tui.jobs.verify_job import verify_exports
from dct_tui.models.language_model import LanguageModel
from dct_tui.models.loading import open_model

from .exports_reasons import reason_holds
from .harness import Outcome, Parts, main
from .zoo import save_family
from .zoo_table import FAMILIES

ARCHITECTURES = (
    *("Qwen2", "Llama", "Granite", "Phi", "GPT-2", "GPT-NeoX", "Falcon, new", "Gemma 3 text", "Qwen3-MoE"),
    *("Qwen2-MoE", "GPT-OSS", "Llama 4 text", "Qwen3-Next", "Jamba"),
)
SOURCE, SCALE = 3, 4.0
ROLES: tuple[Role, ...] = ("add", "ablate")


def vector_of(lm: LanguageModel, number: int, role: Role) -> ExportVector:
    """A random unit vector for the input of block 3."""
    v = np.random.default_rng(number).standard_normal(lm.width).astype(np.float32)
    return ExportVector(
        name=f"feature {number}", vector=v / np.linalg.norm(v), scale=SCALE, source=SOURCE, role=role, feature=number
    )


def context_of(lm: LanguageModel) -> ExportContext:
    """As of a session on this model."""
    return ExportContext(
        name="session",
        model=lm.source.name,
        commit=None,
        model_type=str(lm.model.config.model_type),
        depth=lm.depth,
        width=lm.width,
        source=SOURCE,
        target=SOURCE + 2,
        method="linear",
        seed=0,
    )


def judge(lm: LanguageModel, form: str, role: Role, folder: Path) -> dict[str, Any]:
    """What became of one export: `verified`, and the largest KL in nats or the refusal."""
    vectors, context = [vector_of(lm, number, role) for number in (1, 2)], context_of(lm)
    try:
        exports = export_with_model(lm, form, vectors, context, folder)
    except DctError as error:
        said = str(error).replace(lm.source.name, "the model")
        return {"verified": reason_holds(lm, form, vectors, error), "refused": said}
    checks = [check for several in verify_exports(lm, exports, context) for check in several]
    figures = [check.figures for check in checks if check.what == "logits" and check.passed]
    verified = len(figures) == len(exports) and all(check.passed for check in checks)
    said = "; ".join(check.said for check in checks if not check.passed)
    return {
        "verified": verified,
        "kl": max((one["kl_max"] for one in figures), default=None),
        "moved": min((one["kl_unsteered_max"] for one in figures), default=None),
        "readers": sorted({check.reader for check in checks}),
        "failed": said,
    }


def measure(full: bool, parts: Parts) -> Outcome:
    """All formats on all architectures; `full` changes nothing: it takes minutes."""
    warnings.filterwarnings("ignore")
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    found = {name: parts.each(name, partial(_of_architecture, name)) for name in ARCHITECTURES}
    return _outcome(found)


def _of_architecture(name: str) -> dict[str, Any]:
    family = next(family for family in FAMILIES if family.name == name)
    with tempfile.TemporaryDirectory() as folder:
        lm = open_model(str(save_family(family, Path(folder) / "m")), device="cpu")
        return {
            f"{form} {role}": judge(lm, form, role, Path(folder) / f"{form}-{role}")
            for form in FORMATS
            for role in ROLES
        }


def _outcome(found: dict[str, dict[str, Any]]) -> Outcome:
    cells = [cell for row in found.values() for cell in row.values()]
    # A format that never holds a role is no column of the table, though its refusals are judged.
    columns = [f"{name} {role}" for name, form in FORMATS.items() for role in form.roles]
    heading = "| architecture | " + " | ".join(columns) + " |"
    lines = [f"| {name} | {' | '.join(_shown(row[column]) for column in columns)} |" for name, row in found.items()]
    refusals = sorted({cell["refused"] for cell in cells if "refused" in cell})
    failed = {
        f"{name}, {key}": cell for name, row in found.items() for key, cell in row.items() if not cell["verified"]
    }
    worst = max(cell["kl"] for cell in cells if cell.get("kl") is not None)
    return Outcome(
        {
            "formats": len(FORMATS),
            "architectures": len(found),
            "verified_share": sum(cell["verified"] for cell in cells) / len(cells),
            "exports": len(cells),
            "refused_rightly": sum("refused" in cell and cell["verified"] for cell in cells),
            "kl_max": worst,
            "readers": sorted({reader for cell in cells for reader in cell.get("readers", ())}),
            "failed": failed,
        },
        (heading, "|---" * (len(columns) + 1) + "|", *lines, "", *refusals),
    )


def _shown(cell: dict[str, Any]) -> str:
    if not cell["verified"]:
        return "✗ not verified"
    return "refused" if "refused" in cell else f"✓ {cell['kl']:.0e}" if cell["kl"] else "✓ 0"


if __name__ == "__main__":
    main("exports", measure)
