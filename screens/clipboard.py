"""Copying text so that it arrives, and saying which way it went.

A terminal's own clipboard is reached by an escape sequence (OSC 52), which tmux swallows as it comes; tmux is asked
for it instead. Neither says whether the terminal obeyed, so the text lies in a file too.
"""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from pathlib import Path
from typing import Any

from textual.app import App

from dct_tui.errors import DctError
from dct_tui.paths import data_root

CLIPBOARD_FILE = "clipboard.txt"
TMUX_S = 2.0
OSC_52_BYTES = 74_994
"""What terminals take by OSC 52: 100 000 characters of the sequence."""


async def copy(app: App[Any], text: str) -> str:
    """Copies text; says which way it went, in a few words."""
    ways = []
    if os.environ.get("TMUX"):
        ways.append(await _by_tmux(text))
    if not any(ways):
        fits = len(text.encode(errors="replace")) <= OSC_52_BYTES
        if fits:
            app.copy_to_clipboard(text)
        ways = ["copied by OSC 52, if your terminal allows it" if fits else "too long for a terminal's clipboard"]
    ways.append(_to_file(text))
    return "; ".join(way for way in ways if way)


async def _by_tmux(text: str) -> str:
    # -w hands it on to the terminal's clipboard; before version 3.2 there is only tmux's own buffer.
    for options, said in (
        (["-w"], "copied to tmux, and to its terminal if that allows it"),
        ([], "copied to tmux (its paste key)"),
    ):
        try:
            tmux = await asyncio.create_subprocess_exec(
                "tmux", "load-buffer", *options, "-", stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL
            )
        except OSError:
            return ""
        try:
            await asyncio.wait_for(tmux.communicate(text.encode(errors="replace")), TMUX_S)
        except (OSError, TimeoutError):
            with suppress(ProcessLookupError):
                tmux.kill()
            return ""
        if tmux.returncode == 0:
            return said
    return ""


def _to_file(text: str) -> str:
    try:
        path: Path = data_root() / CLIPBOARD_FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8", errors="replace")
    except (OSError, DctError):
        return ""
    return f"also in {path}"
