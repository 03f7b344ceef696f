"""`dct-tui` without a command: the workbench."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from ..errors import DctError


def workbench(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Find hidden behaviours in language models by Deep Causal Transcoding.

    Without a command: the workbench.
    """
    if show_version:
        print(f"dct-tui {version('dct-tui')}")
        raise typer.Exit
    if context.invoked_subcommand is not None:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise DctError("the workbench needs a terminal", "use a command instead: dct-tui --help, or dct-tui demo")
    from ..screens.app import Workbench

    Workbench().run()
