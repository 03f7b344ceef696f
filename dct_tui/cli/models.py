"""`dct-tui models`: what can be opened."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Json
from .output import print_json, print_table


def models(
    folders: Annotated[list[str] | None, typer.Argument(help="Model folders to list besides.")] = None,
    json: Json = False,
) -> None:
    """List the models on this machine: the built-in one, the hub cache, and folders you name."""
    from ..models.catalog import find_model, list_models
    from ..models.summary import summarise

    found = [summarise(source) for source in [*list_models(), *map(find_model, folders or [])]]
    if json:
        for summary in found:
            print_json(summary)
        return
    print_table(
        ("model", "type", "parameters", "layers", "width", "size", "dtype", "chat", "problem"),
        [
            (
                summary.name,
                summary.model_type or "-",
                f"{summary.parameters:,}" if summary.parameters else "-",
                summary.depth or "-",
                summary.width or "-",
                f"{summary.bytes / 1e9:.2f} GB" if summary.bytes >= 1e8 else f"{summary.bytes / 1e6:.1f} MB",
                summary.quantised or summary.dtype or "-",
                "yes" if summary.chat_template else "no",
                summary.problem,
            )
            for summary in found
        ],
    )
