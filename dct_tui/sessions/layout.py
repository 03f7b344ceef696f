"""The names of what lies in a session folder."""

from __future__ import annotations

import re

from dct_tui.errors import DctError

__all__ = [
    "AVERAGES_FILE",
    "CHATS_FOLDER",
    "CHECKPOINT_FILE",
    "EXPORTS_FOLDER",
    "FEATURES_FILE",
    "FIT_FILE",
    "FIT_LOCKED",
    "IMPORTS_FOLDER",
    "MARKS_FILE",
    "PROGRESS_FILE",
    "RECORD_FILE",
    "SAMPLES_FILE",
    "check_name",
    "lock_file",
]

RECORD_FILE = "session.json"
FIT_FILE = "fit.safetensors"
CHECKPOINT_FILE = "checkpoint.safetensors"
FEATURES_FILE = "features.json"
PROGRESS_FILE = "progress.jsonl"
SAMPLES_FILE = "samples.jsonl"
MARKS_FILE = "marks.jsonl"
AVERAGES_FILE = "averages.jsonl"
CHATS_FOLDER = "chats"
EXPORTS_FOLDER = "exports"
IMPORTS_FOLDER = "imports"

FIT_LOCKED = (RECORD_FILE, FIT_FILE, CHECKPOINT_FILE, FEATURES_FILE)
"""What is written as a whole under the lock of the fit; settings of screens lie beside it and are not."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}")


def lock_file(job: str) -> str:
    """The lock of one kind of writing: `fit.lock`, `samples.lock`, …"""
    return f"{job}.lock"


def check_name(name: str, what: str = "session") -> str:
    """`name`, if it can be the name of a folder or file that stays where it is put.

    Raises:
        DctError: it is empty, too long, begins with a dot or holds a separator or another odd character.
    """
    if not _NAME.fullmatch(name):
        raise DctError(
            f"{name[:80]!r} is no name for a {what}",
            "use letters, digits, '-', '_', '+' and '.', at most 128, not beginning with '.'",
        )
    return name
