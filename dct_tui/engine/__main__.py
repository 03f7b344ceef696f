"""`python -m dct_tui.engine`: the process that holds a model. The workbench starts it when it is needed."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import faulthandler
import logging
import os
import sys
from pathlib import Path

from dct_tui.errors import DctError
from dct_tui.paths import data_root

from .registry import log_of
from .server import IDLE_S, serve

IDLE_SETTING = "DCT_TUI_ENGINE_IDLE"
KEPT_LOGS = 20


def main() -> None:
    """Is an engine until its end."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    faulthandler.enable()
    try:
        is_done = asyncio.run(serve(_own_log(options.log), options.idle))
    except DctError as error:
        print(f"dct-tui engine: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    if not is_done:
        logging.warning("a job did not stop in time")
        logging.shutdown()
        # Python's own end would wait for the thread, or take the libraries away under it.
        os._exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dct_tui.engine", description=__doc__)
    parser.add_argument("--log", type=Path, help="the file that takes its output, which whoever starts it has opened")
    parser.add_argument(
        "--idle", type=_seconds, default=_setting(), help=f"seconds without work after which it ends ({IDLE_S:g})"
    )
    return parser.parse_args()


def _setting() -> float:
    with contextlib.suppress(ValueError, argparse.ArgumentTypeError):
        return _seconds(os.environ.get(IDLE_SETTING, ""))
    return IDLE_S


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 1e9:
        raise argparse.ArgumentTypeError("give a number of seconds above 0")
    return seconds


def _own_log(opened: Path | None) -> Path:
    """The log by the engine's own name; the oldest of others are removed."""
    if opened is None:
        return Path("/dev/stderr")
    own = log_of(data_root(), os.getpid())
    with contextlib.suppress(OSError):
        opened.replace(own)
        by_age = sorted(own.parent.glob("engine-*.log"), key=lambda path: path.stat().st_mtime)
        for old in by_age[:-KEPT_LOGS]:
            old.unlink()
    return own


if __name__ == "__main__":
    main()
