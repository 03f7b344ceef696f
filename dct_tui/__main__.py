"""The `dct-tui` command: an error a person can act on is one line on stderr and exit code 2."""

from __future__ import annotations

import os
import sys

from .cli.app import app
from .errors import DctError
from .inert import inert

INTERRUPTED = 130


def main() -> None:
    """Runs the command line."""
    try:
        app()
    except DctError as error:
        print(f"dct-tui: {inert(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the output has gone: leave without a word, and without one at shutdown either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
