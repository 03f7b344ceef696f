"""Where exports are written: files one by one, folders whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from dct_tui.errors import DctError
from dct_tui.paths import expand
from dct_tui.sessions.atomic import write_atomic, write_error
from dct_tui.sessions.folder import make_folder

from .certificate import RECEIPT, Written, read_receipt
from .vectors import ExportContext, ExportVector

__all__ = ["Fill", "place_files", "place_folders", "places"]

Group: TypeAlias = Sequence[ExportVector]
Fill: TypeAlias = Callable[[Group, Path], None]
"""Writes the files of some vectors into a folder that is there and empty."""

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


def place_files(
    paths: Sequence[Path], build: Callable[[Group], bytes], groups: Sequence[Group], *, force: bool
) -> list[list[Written]]:
    """Builds every file, and then writes them. Raises DctError where one is there already (without `force`)."""
    files = [build(group) for group in groups]
    if not force:
        for path in paths:
            _require_absent(path)
    for folder in {path.parent for path in paths}:
        read_receipt(folder)  # One of another kind is refused before anything is written.
    written = []
    for path, data in zip(paths, files, strict=True):
        make_folder(path.parent)
        write_atomic(path, data)
        written.append([Written(path, len(data), hashlib.sha256(data).hexdigest())])
    return written


def place_folders(paths: Sequence[Path], fill: Fill, groups: Sequence[Group], *, force: bool) -> list[list[Written]]:
    """Fills folders beside their places, and renames each when it is whole.

    Raises:
        DctError: one is there already: without `force`, or with files in it that no export wrote.
    """
    for path in paths:
        if not force:
            _require_absent(path)
        elif path.exists():
            _exported_files(path)
    written = []
    for path, group in zip(paths, groups, strict=True):
        make_folder(path.parent)
        beside = path.with_name(f".{path.name[:32]}.{secrets.token_hex(4)}.partial")
        try:
            make_folder(beside)
            fill(group, beside)
            files = [_written(file, path) for file in sorted(beside.iterdir())]
            if path.exists():
                _remove_export(path)
            beside.rename(path)
        except OSError as error:
            raise write_error(error, path, 0) from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        written.append(files)
    return written


def _require_absent(path: Path) -> None:
    if path.exists():
        raise DctError(f"{path} is there already", "choose another place, or replace it with --force")


def _written(file: Path, folder: Path) -> Written:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while part := opened.read(_READ_AT_ONCE):
            digest.update(part)
        os.fsync(opened.fileno())
    return Written(folder / file.name, file.stat().st_size, digest.hexdigest())


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
