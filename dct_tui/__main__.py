"""The `dct-tui` command: an error a person can act on is one line on stderr and exit code 2."""

from __future__ import annotations

import os
import sys

import typer

from .cli.app import app
from .errors import DctError
from .inert import inert

INTERRUPTED = 130


def main() -> None:
    """Runs the command line."""
    try:
        sys.exit(app(standalone_mode=False))
    except typer.Abort:
        sys.exit(INTERRUPTED)
    except DctError as error:
        print(f"dct-tui: {inert(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has gone: leave without a word, and without one at shutdown either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        # Newer versions of typer carry a click of their own: a usage error is known by what it can do.
        if not hasattr(error, "format_message"):
            raise
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "dct-tui"
        print(f"dct-tui: {inert(error.format_message())} See {command} --help.", file=sys.stderr)
        sys.exit(getattr(error, "exit_code", 2))


if __name__ == "__main__":
    main()
