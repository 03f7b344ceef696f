"""Which architectures are served exactly: tiny random models of each, checked against computations by hand."""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from transformers.utils import logging as transformers_logging

from dct_tui.errors import DctError
from dct_tui.models.loading import open_model

from .family_checks import CHECKS, Failed
from .family_subject import subject_of
from .harness import Outcome, Parts, main
from .zoo import Family, save_family
from .zoo_table import FAMILIES

EXACT = 1e-5


@dataclass
class Verdict:
    """What was found of one family.

    Attributes:
        errors: of each check, its largest relative error, or why it fails.
        refused: the program's own words, where it refuses the family.
    """

    family: Family
    errors: dict[str, float | str] = field(default_factory=dict)
    refused: str = ""
    pads: bool = True
    seconds: float = 0.0

    @property
    def failed(self) -> list[str]:
        return [name for name, error in self.errors.items() if isinstance(error, str) or error > EXACT]

    @property
    def exact(self) -> bool:
        return not self.refused and not self.failed

    def line(self) -> str:
        if self.refused:
            return f"{self.family.name:24} refused: {self.refused}"
        cells = [f"{e:.0e}" if isinstance(e, float) and e else "0" if e == 0 else "✗" for e in self.errors.values()]
        why = "; ".join(f"{name}: {self.errors[name]}" for name in self.failed)
        note = "" if self.pads else "  unpadded"
        return f"{self.family.name:24}" + "".join(f"{cell:>9}" for cell in cells) + note + (f"  {why}" if why else "")


def judge(family: Family) -> Verdict:
    """Makes a model of the family, opens it as any folder is opened, and checks it."""
    verdict = Verdict(family)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        save_family(family, Path(folder))
        try:
            subject = subject_of(family, open_model(folder, device="cpu"))
        except DctError as error:
            verdict.refused = error.message.replace(folder, "the model")
            return verdict
    verdict.pads = subject.lm.pads
    for name, check in CHECKS.items():
        try:
            verdict.errors[name] = check(subject)
        except (Failed, DctError) as error:
            verdict.errors[name] = str(error).replace(folder, "the model")
        except Exception as error:
            verdict.errors[name] = f"{type(error).__name__}: {str(error)[:150]}"
    verdict.seconds = time.perf_counter() - started
    return verdict


def measure(full: bool, parts: Parts) -> Outcome:
    """All families of the zoo; `full` and `parts` change nothing: it takes minutes."""
    warnings.filterwarnings("ignore")
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    return _outcome([judge(family) for family in FAMILIES])


def _outcome(verdicts: Sequence[Verdict]) -> Outcome:
    exact = [v for v in verdicts if v.exact]
    refused = [v for v in verdicts if v.refused]
    partial = [v for v in verdicts if not v.exact and not v.refused]
    heading = f"{'family':24}" + "".join(f"{name:>9}" for name in CHECKS)
    return Outcome(
        {
            "families_exact": len(exact),
            "families_refused": len(refused),
            "families_total": len(verdicts),
            "exact": [v.family.name for v in exact],
            "refused": {v.family.name: v.refused for v in refused},
            "partial": {v.family.name: {name: str(v.errors[name]) for name in v.failed} for v in partial},
            "unpadded": [v.family.name for v in verdicts if not v.pads],
        },
        (heading, *(v.line() for v in (*exact, *partial, *refused))),
    )


if __name__ == "__main__":
    main("families", measure)
