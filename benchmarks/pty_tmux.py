"""A program in a real tmux of its own: keys sent, the screen captured with or without its colours."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

PATIENCE_S = 60.0


class Tmux:
    """One window of a tmux server with its own socket and the default configuration.

    Args:
        folder: for the socket.
        command: the program and its arguments.
        environment: in place of some of this process's variables; None takes one away.
    """

    def __init__(
        self,
        folder: Path,
        command: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str | None] | None = None,
    ) -> None:
        self._socket = folder / "tmux"
        away = {"TMUX": None, "TMUX_PANE": None, "COLORTERM": None, "NO_COLOR": None}
        variables = {**os.environ, **away, "TERM": "xterm-256color", **(environment or {})}
        self._environment = {name: value for name, value in variables.items() if value is not None}
        self._run("new-session", "-d", "-x", str(columns), "-y", str(rows), *command)

    def __enter__(self) -> Tmux:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run("kill-server", check=False)

    def send(self, *keys: str) -> None:
        """Presses keys by tmux's names, one after the other."""
        self._run("send-keys", *keys)

    def type(self, text: str) -> None:
        """Types a text as it is."""
        self._run("send-keys", "-l", text)

    def text(self) -> str:
        """What is shown."""
        return self._run("capture-pane", "-p").stdout

    def coloured(self) -> str:
        """What is shown, with the escape sequences of its colours."""
        return self._run("capture-pane", "-p", "-e").stdout

    def buffer(self) -> str:
        """What was copied last."""
        return self._run("show-buffer", check=False).stdout

    def wait_for(self, text: str | Callable[[str], bool], limit: float = PATIENCE_S) -> str:
        """Waits until something is shown, and gives all that is.

        Raises:
            AssertionError: it is not; the error holds what is.
        """
        shows = text if callable(text) else lambda screen: text in screen
        end = time.monotonic() + limit
        while not shows(screen := self.text()):
            if time.monotonic() > end:
                raise AssertionError(f"tmux does not show {text!r} but\n{screen}")
            time.sleep(0.05)
        return screen

    def _run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["tmux", "-S", str(self._socket), "-f", "/dev/null", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=check,
        )


def has_tmux() -> bool:
    """Whether there is one on this machine."""
    return shutil.which("tmux") is not None
