"""Where exports are written: all files of a format whole, or none."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TypeAlias

from dct_tui.errors import DctError
from dct_tui.paths import expand
from dct_tui.sessions.atomic import write_error
from dct_tui.sessions.folder import make_folder

from .certificate import RECEIPT, Written, read_receipt
from .vectors import ExportContext, ExportVector

__all__ = ["Fill", "place", "places", "written_files"]

Group: TypeAlias = Sequence[ExportVector]
Fill: TypeAlias = Callable[[Group, Path], None]
"""Writes some vectors to a file that is not there yet, or into a folder that is there and empty."""

_READ_AT_ONCE = 2**20


def places(
    suffix: str, groups: Sequence[Group], context: ExportContext, destination: Path, *, folders: bool
) -> list[Path]:
    """Where each group's file, or folder, goes.

    Raises:
        DctError: several for one name, or two of the same name.
    """
    destination = expand(destination)
    # A folder that is there is one to write into, whatever its name, unless folders are what is written.
    if destination.name.endswith(suffix) and (folders or not destination.is_dir()):
        if len(groups) > 1:
            raise DctError(
                f"{len(groups)} vectors make {len(groups)} files, and {destination.name} is one",
                "name a folder, or combine them",
            )
        return [destination]
    paths = [destination / f"{_stem(context, group)}{suffix}" for group in groups]
    if len(set(paths)) < len(paths):
        raise DctError("two of the vectors have the same name", "export them one at a time")
    return paths


def _stem(context: ExportContext, group: Group) -> str:
    what = group[0].name if len(group) == 1 else f"{len(group)} vectors"
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", f"{context.name}-{what}").strip("-.")[:120]


def place(
    paths: Sequence[Path], groups: Sequence[Group], fill: Fill, *, folders: bool, force: bool
) -> Generator[tuple[Path, list[Written]], None, None]:
    """Fills every place in a hidden folder near by, and moves them all once the last is whole.

    Gives for each where it stands meanwhile, and its files as they will stand. Closed before its end, or failing, it
    leaves nothing, and what was in the places stays.

    Args:
        paths: the places, all in one folder.
        fill: writes what belongs in a place: a file, or where it is one of `folders`, the files of a folder.

    Raises:
        DctError: something is there already: without `force`, or a folder with files in it that no export wrote.
    """
    for path in paths:
        if not force:
            _require_absent(path)
        elif folders and path.exists():
            _exported_files(path)
    parent = paths[0].parent
    nearest = next(folder for folder in (parent, *parent.parents) if folder.is_dir())
    beside = nearest / f".{secrets.token_hex(4)}.partial"
    try:
        make_folder(beside)
        for path, group in zip(paths, groups, strict=True):
            staged = beside / path.name
            if folders:
                make_folder(staged)
            fill(group, staged)
            yield staged, [_written(file, path.parent / file.relative_to(beside)) for file in _files(staged)]
        make_folder(parent)
        for path in paths:
            if folders and path.exists():
                _remove_export(path)
            (beside / path.name).replace(path)
    except OSError as error:
        raise write_error(error, path, 0) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def written_files(path: Path) -> list[Written]:
    """The files of an export that is there; its receipt is none of them. Raises DctError where there is none."""
    try:
        found = [_written(file, file) for file in _files(path) if file.name != RECEIPT]
    except OSError:
        found = []
    if not found:
        raise DctError(f"{path} is not there", "write it first")
    return found


def _files(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else [path]


def _require_absent(path: Path) -> None:
    if path.exists():
        raise DctError(f"{path} is there already", "choose another place, or replace it with --force")


def _written(file: Path, place: Path) -> Written:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while part := opened.read(_READ_AT_ONCE):
            digest.update(part)
        os.fsync(opened.fileno())
    return Written(place, file.stat().st_size, digest.hexdigest())


def _exported_files(folder: Path) -> list[Path]:
    """The files of an earlier export. Raises DctError where the folder holds anything else."""
    found = list(folder.iterdir()) if folder.is_dir() else [folder]
    receipt = read_receipt(folder) if folder.is_dir() else None
    listed = {RECEIPT, *receipt["files"]} if receipt else set()
    if others := sorted(file.name for file in found if file.name not in listed or file.is_dir()):
        raise DctError(f"{folder} holds files that no export wrote ({others[0]}, …)", "choose another place")
    return found


def _remove_export(folder: Path) -> None:
    for file in _exported_files(folder):
        file.unlink()
    folder.rmdir()
