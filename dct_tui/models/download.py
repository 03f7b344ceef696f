"""Fetching a hub model into the cache, in a process of its own that can be killed at any time and gone on with.

`python -m dct_tui.models.download ID [--revision R]` prints one JSON object a line: `{"file", "done", "of"}`, bytes of
all files together, and at the end `{"folder"}` or `{"error": {"message", "hint"}}`.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from ..errors import DctError
from .catalog import ModelSource, find_model
from .names import is_hub_id

LOOK_S = 0.1
TELL_S = 0.2
LAST_WORDS_S = 2.0

OnDownload = Callable[[str, int, int], None]
"""Called with the file that is being fetched, and the bytes of all files that are there, and of how many."""


def download(
    name: str,
    revision: str | None = None,
    *,
    on_progress: OnDownload | None = None,
    check: Callable[[], None] | None = None,
) -> ModelSource:
    """Fetches a hub model: its config, tokenizer and safetensors. Cut off, it goes on from where it was next time.

    Args:
        on_progress: called a few times a second.
        check: called several times a second; what it or `on_progress` raises ends the fetching.

    Raises:
        DctError: no such model, no access to it, no way to the hub, or no room.
    """
    if not is_hub_id(name):
        raise DctError(f"{name} can be no model of the hub", "its id looks like owner/name")
    command = [sys.executable, "-m", "dct_tui.models.download", name, *(["--revision", revision] if revision else [])]
    with tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env={**os.environ, "HF_HUB_DISABLE_PROGRESS_BARS": "1"},
        )
        try:
            outcome = _follow(child, on_progress or (lambda *_: None), check or (lambda: None))
        finally:
            _end(child)
        if outcome is None:
            complaints.seek(0)
            last = complaints.read().decode(errors="replace").strip().splitlines()[-1:]
            raise DctError(f"fetching {name} ended without a word: {' '.join(last)}", "ask for it again")
    if (error := outcome.get("error")) is not None:
        raise DctError(str(error.get("message")), str(error.get("hint", "")))
    return find_model(name, revision)


def _follow(
    child: subprocess.Popen[bytes], on_progress: OnDownload, check: Callable[[], None]
) -> dict[str, Any] | None:
    """Its last line, once it has ended."""
    assert child.stdout is not None
    buffer, outcome = b"", None
    while True:
        check()
        if not select.select([child.stdout], [], [], LOOK_S)[0]:
            continue
        data = os.read(child.stdout.fileno(), 65536)
        if not data:
            return outcome
        *lines, buffer = (buffer + data).split(b"\n")
        for line in lines:
            try:
                event = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue  # Libraries say things too.
            if not isinstance(event, dict):
                continue
            if "file" in event:
                on_progress(event["file"], event["done"], event["of"])
            else:
                outcome = event


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(LAST_WORDS_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout is not None:
        child.stdout.close()


# In the process of its own


def _fetch_all(name: str, revision: str | None) -> Path:
    from huggingface_hub import constants

    from .hub import fetch, finish, left_over, look_up, there

    repository = look_up(name, revision)
    of = sum(file.size for file in repository.files)
    present = {file.name: there(repository, file) for file in repository.files}
    missing = of - sum(present.values()) - left_over(repository)
    room = Path(constants.HF_HUB_CACHE)
    room.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(room).free
    if missing > free:
        raise DctError(
            f"no room for {name}: {missing / 1e9:.1f} GB are still to come, {free / 1e9:.1f} GB are free in {room}",
            "make room, or set HF_HOME to a larger disk",
        )
    last = 0.0

    def on_bytes(file: str, there: int) -> None:
        nonlocal last
        present[file] = there
        if time.monotonic() - last >= TELL_S or sum(present.values()) == of:
            last = time.monotonic()
            _say({"file": file, "done": sum(present.values()), "of": of})

    for file in repository.files:
        fetch(repository, file, on_bytes)
    finish(repository, revision)
    return repository.snapshot


def _say(what: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(what) + b"\n")
    sys.stdout.buffer.flush()


def _explain(error: Exception, name: str) -> DctError:
    """What went wrong between us and the hub, as something a person can act on."""
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    from .hub import is_cut

    page = f"{constants.ENDPOINT}/{name}"
    if isinstance(error, DctError):
        return error
    if isinstance(error, GatedRepoError):
        return DctError(
            f"{name} is gated: its makers ask for something before they let you have it",
            f"accept the licence at {page}, then `hf auth login` or set HF_TOKEN",
        )
    if isinstance(error, RevisionNotFoundError):
        return DctError(f"{name} has no such revision", f"see {page}")
    if isinstance(error, RepositoryNotFoundError | HFValidationError):
        return DctError(
            f"the hub has no model {name}, or does not show it to you",
            "check the spelling; for a private one `hf auth login` or set HF_TOKEN",
        )
    if isinstance(error, OfflineModeIsEnabled):
        return DctError(f"{name} cannot be fetched: HF_HUB_OFFLINE is set", "unset it, or name a model that is here")
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code if error.response is not None else "nothing"
        hint = "wait a little" if status in (408, 429, 500, 502, 503, 504) else "`hf auth login`, or set HF_TOKEN"
        return DctError(f"the hub answered {status} when asked for {name}", f"{hint}, then ask again")
    if is_cut(error) or isinstance(error, ConnectionError | LocalEntryNotFoundError):
        return DctError(
            f"{constants.ENDPOINT} cannot be reached: {error or type(error).__name__}",
            "check the network, HF_ENDPOINT and proxies; ask again, and it goes on from where it was",
        )
    if isinstance(error, OSError) and error.errno is not None:
        return DctError(f"{name} cannot be written: {error.strerror}", "make room, or set HF_HOME to another disk")
    return DctError(f"{name} cannot be fetched: {type(error).__name__}: {error}", "ask again")


def main() -> int:
    """The process of its own."""
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--revision")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with suppress(BrokenPipeError):  # whoever asked has gone
        try:
            _say({"folder": str(_fetch_all(arguments.name, arguments.revision))})
        except BrokenPipeError:
            raise
        except Exception as error:  # everything that can go wrong on a network
            told = _explain(error, arguments.name)
            _say({"error": {"message": told.message, "hint": told.hint}})
            return told.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
