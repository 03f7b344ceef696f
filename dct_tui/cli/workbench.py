"""`dct-tui` without a command: the workbench."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import DctError


def workbench(
    context: typer.Context,
    session: Annotated[
        str | None, typer.Option(metavar="SESSION", help="Open this session at once, by its folder or name.")
    ] = None,
    theme: Annotated[
        str | None, typer.Option(help="dark, light, blue-orange, red-teal, or terminal for its own colours.")
    ] = None,
    no_mouse: Annotated[bool, typer.Option("--no-mouse", help="Leave the mouse to the terminal.")] = False,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Find hidden behaviours in language models by Deep Causal Transcoding.

    Without a command: the workbench.
    """
    if show_version:
        from importlib.metadata import version

        print(f"dct-tui {version('dct-tui')}")
        raise typer.Exit
    if context.invoked_subcommand is not None:
        if session is not None or theme is not None or no_mouse:
            raise DctError("--session, --theme and --no-mouse are for the workbench", "give them without a command")
        return
    from ..screens.start import start

    start(session, theme, not no_mouse)
