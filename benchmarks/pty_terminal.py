"""A program on a pseudo-terminal: keys in, bytes out, each with its moment."""

from __future__ import annotations

import codecs
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from benchmarks.pty_stream import Picture

QUIET_S = 0.3
PATIENCE_S = 30.0
KEYS = {"enter": "\r", "escape": "\x1b", "page down": "\x1b[6~", "down": "\x1b[B", "up": "\x1b[A", "quit": "\x11"}
DCT_TUI = (str(Path(sys.executable).with_name("dct-tui")),)


@dataclass
class Burst:
    """What came after a key: pieces of output, each with the seconds since then."""

    pieces: list[tuple[float, bytes]] = field(default_factory=list)

    @property
    def data(self) -> bytes:
        """All of it."""
        return b"".join(piece for _, piece in self.pieces)

    @property
    def last_s(self) -> float:
        """When the last byte came; 0 where none did."""
        return self.pieces[-1][0] if self.pieces else 0.0

    def split(self, pause: float = 0.06) -> tuple[Burst, Burst]:
        """What came at once, and what came after the first pause of so many seconds."""
        for place in range(1, len(self.pieces)):
            if self.pieces[place][0] - self.pieces[place - 1][0] >= pause:
                return Burst(self.pieces[:place]), Burst(self.pieces[place:])
        return self, Burst()


class Terminal:
    """A program on a terminal of its own, which is its controlling one: closing it hangs up.

    Args:
        command: the program and its arguments.
        environment: in place of some of this process's variables; None takes one away.
    """

    def __init__(
        self,
        command: Sequence[str] = DCT_TUI,
        *,
        columns: int = 120,
        rows: int = 40,
        environment: Mapping[str, str | None] | None = None,
    ) -> None:
        self.picture = Picture(columns, rows)
        self.written = bytearray()
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._handle, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        usual: dict[str, str | None] = {
            "TERM": "xterm-256color", "COLORTERM": "truecolor", "TMUX": None, "NO_COLOR": None, "COLUMNS": None,
            "LINES": None,
        }  # fmt: skip
        variables = {**os.environ, **usual, **(environment or {})}
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_take_terminal,
            env={name: value for name, value in variables.items() if value is not None},
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self.hang_up()

    @property
    def text(self) -> str:
        """What the terminal shows."""
        return self.picture.text

    # Keys and output

    def press(self, key: str, *, quiet: float = QUIET_S, limit: float = PATIENCE_S) -> Burst:
        """Sends a key (a name in `KEYS`, or what it writes), and takes what comes until it has been quiet."""
        os.write(self._handle, KEYS.get(key, key).encode())
        return self.take(quiet=quiet, limit=limit)

    def take(self, *, quiet: float = QUIET_S, limit: float = PATIENCE_S) -> Burst:
        """What comes until it has been quiet for a while, or the limit is reached."""
        started = time.perf_counter()
        burst = Burst()
        while (left := started + limit - time.perf_counter()) > 0:
            data = self._read(min(quiet, left))
            if not data:
                break
            burst.pieces.append((time.perf_counter() - started, data))
        return burst

    def wait_for(self, text: str | Callable[[str], bool], limit: float = PATIENCE_S) -> float:
        """Takes output until the terminal shows that; the seconds since the program was started.

        Raises:
            AssertionError: it does not; the error holds what is shown.
        """
        shows = text if callable(text) else lambda screen: text in screen
        end = time.perf_counter() + limit
        while not shows(self.text):
            left = end - time.perf_counter()
            if left <= 0 or (not self._read(left) and self.process.poll() is not None):
                raise AssertionError(f"the terminal does not show {text!r} but\n{self.text}")
        return time.perf_counter() - self.started

    def _read(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self._handle], [], [], max(0.0, seconds))
        if not ready:
            return b""
        try:
            data = os.read(self._handle, 1 << 16)
        except OSError:  # Linux says so when the other side is closed.
            return b""
        self.written += data
        self.picture.feed(self._decode(data))
        return data

    # Its end

    def hang_up(self) -> None:
        """Closes the terminal, as a dropped line does."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def kill(self, which: signal.Signals = signal.SIGKILL) -> int:
        """Sends the program a signal and waits for its end; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(which)
        return self.process.wait(PATIENCE_S)


def _take_terminal() -> None:
    # Whoever started us in the background may have had these ignored, and children inherit that.
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
