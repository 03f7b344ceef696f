"""The `dct-tui` command: an error a person can act on is one line on stderr and exit code 2."""

from __future__ import annotations

import errno
import os
import sys
from typing import TextIO

INTERRUPTED = 130
CANNOT_WRITE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}


def main() -> None:
    """Runs the command line."""
    try:
        _open_streams()
        # Without arguments there is nothing to parse, and the first screen is there the sooner.
        sys.exit(_run() if sys.argv[1:] else _run_workbench())
    except KeyboardInterrupt:
        # Here too while modules are being imported, which takes longest of all that happens before a command.
        sys.exit(INTERRUPTED)


def _run_workbench() -> int:
    """Runs the workbench, and gives the exit code."""
    from .errors import DctError
    from .screens.start import start

    try:
        start()
    except DctError as error:
        _say(str(error))
        return error.exit_code
    return 0


def _run() -> int:
    """Runs a command, and gives the exit code."""
    import typer

    from .cli.app import app
    from .errors import DctError

    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except typer.Abort:
        return INTERRUPTED
    except DctError as error:
        _say(str(error))
        return error.exit_code
    except BrokenPipeError:
        # Whoever read the output has gone: leave without a word, and without one at shutdown either.
        _drop(sys.stdout)
        return 1
    except OSError as error:
        # An error of a file has the file's name; this one comes of writing what was to be read.
        if error.filename is not None or error.errno not in CANNOT_WRITE:
            raise
        _drop(sys.stdout)
        _say(f"the output cannot be written: {error.strerror}; make room, or send it elsewhere")
        return 2
    except Exception as error:
        # Newer versions of typer carry a click of their own: a usage error is known by what it can do.
        if not hasattr(error, "format_message"):
            raise
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "dct-tui"
        _say(f"{error.format_message()} See {command} --help.")
        return int(getattr(error, "exit_code", 2))
    return int(code or 0)


def _open_streams() -> None:
    """Closed streams lead nowhere, and characters that the terminal's encoding lacks are shown as `?`."""
    # In this order, so that each gets the number of the one that is missing, and no other file does.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        _lenient(stream)


def _lenient(stream: TextIO) -> None:
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")


def _say(line: str) -> None:
    from .inert import inert

    try:
        print(f"dct-tui: {inert(line)}", file=sys.stderr, flush=True)
    except OSError:
        # Where nothing can be said the exit code still tells.
        _drop(sys.stderr)


def _drop(stream: TextIO) -> None:
    """Leads a stream nowhere, so that what is left of it gives no second error when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()
