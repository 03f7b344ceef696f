"""`dct-tui demo`: the main job on the built-in model, and what it found."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..inert import one_line
from .options import Json, Seed
from .output import note, print_json, print_table, session_word
from .progress import fit_progress

if TYPE_CHECKING:
    from ..jobs.demo_job import Demonstration, Vector
    from ..organism.naming import Finding


def demo(
    seed: Seed = 0,
    session: Annotated[Path | None, typer.Option(help="The session's folder; by default a new one.")] = None,
    json: Json = False,
) -> None:
    """Find the hidden behaviours of the built-in model: fit, sample, name them, beside random vectors."""
    from ..jobs.demo_job import demonstrate
    from ..models.catalog import BUILTIN
    from ..models.loading import open_model

    note("fitting the built-in model on prompts that trigger nothing")
    lm = open_model(BUILTIN)
    with fit_progress() as progress:
        found = demonstrate(
            lm, seed=seed, path=session, on_step=progress, on_sampling=lambda what: note(f"sampling {what}")
        )
    if json:
        print_json(_figures(found))
    else:
        _print(found)


def _figures(found: Demonstration) -> dict[str, Any]:
    return {
        "behaviours_found": found.behaviours_found,
        "behaviours_right": found.behaviours_right,
        "behaviours_random": found.behaviours_random,
        "not_found": found.not_found,
        "session": str(found.session.path),
        "scale": found.scale,
        "factors": found.factors,
        "strengths": found.strengths,
        "findings": [_finding(finding) for finding in found.findings],
        "random_findings": [_finding(finding) for finding in found.random_findings],
    }


def _finding(finding: Finding[Vector]) -> dict[str, Any]:
    feature, strength = finding.candidate
    return {
        "behaviour": finding.behaviour,
        "feature": feature,
        "strength": strength,
        "validation": asdict(finding.validation),
        "test": asdict(finding.test),
        "found": finding.found,
        "right": finding.right,
    }


def _print(found: Demonstration) -> None:
    print(
        f"{found.behaviours_found} of {found.behaviours_found + len(found.not_found)} hidden behaviours found, "
        f"{found.behaviours_right} of them with the right content;\n"
        f"{found.factors} random vectors of the same norms find {found.behaviours_random}.\n"
    )
    rows = [
        (
            finding.behaviour,
            finding.candidate[0],
            f"{finding.candidate[1]:g}",
            f"{finding.test.form:.0%}",
            f"{finding.test.content:.0%}",
            one_line(found.examples[finding.behaviour].steered, 50),
        )
        for finding in found.findings
        if finding.found
    ]
    print_table(("behaviour", "feature", "strength", "form", "content", "for example"), rows)
    if found.not_found:
        print(f"\nNot found: {', '.join(found.not_found)}")
    for example in list(found.examples.values())[:1]:
        print(f"\nThe first example's prompt: {example.prompt}")
        print(f"The model's own reply:      {one_line(example.unsteered, 50)}")
    print(f"\nVectors were chosen on validation prompts and judged on test prompts.\nsession {found.session.path}")
    if rows:
        print(f"next: dct-tui chat {session_word(found.session.path)} --steer {rows[0][1]}:{rows[0][2]}")
