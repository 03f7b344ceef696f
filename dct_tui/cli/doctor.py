"""`dct-tui doctor`: what this machine offers, and what would go wrong."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from ..paths import data_root
from .options import Json
from .output import print_json

LEAST_FREE_BYTES = 2**30
REINSTALL = "install dct-tui again: pip install -U dct-tui"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `advice` is empty where all is well."""

    what: str
    state: str
    advice: str = ""


def doctor(json: Json = False) -> None:
    """Check packages, devices, disk and terminal; exit code 1 where something needs attention."""
    findings = [*_packages(), *_devices(), _disk(), _settings(), _terminal(), _logout()]
    for finding in findings:
        if json:
            print_json(asdict(finding))
        else:
            print(f"{'!' if finding.advice else '✓'} {finding.what}: {finding.state}")
            if finding.advice:
                print(f"    {finding.advice}")
    if any(finding.advice for finding in findings):
        raise typer.Exit(1)


def _packages() -> list[Finding]:
    from importlib.metadata import PackageNotFoundError, version

    found = [Finding("python", platform.python_version())]
    for name in ("dct-tui", "torch", "transformers", "safetensors", "textual"):
        try:
            found.append(Finding(name, version(name)))
        except PackageNotFoundError:
            found.append(Finding(name, "missing", REINSTALL))
    return found


def _devices() -> list[Finding]:
    try:
        import torch
    except (ImportError, OSError) as error:
        return [Finding("device", f"torch cannot be imported: {error}", REINSTALL)]
    if torch.cuda.is_available():
        found = []
        for index in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(index)
            name = torch.cuda.get_device_name(index)
            found.append(Finding(f"cuda:{index}", f"{name}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"))
        return found
    if torch.backends.mps.is_available():
        return [Finding("device", "mps")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [Finding("device", f"cpu, {torch.get_num_threads()} threads, {memory:.1f} GiB of memory")]


def _disk() -> Finding:
    folder = data_root()
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        return Finding("data folder", str(folder), "it cannot be written: set DCT_TUI_HOME to a folder of yours")
    advice = "under 1 GiB is free: make room, or set DCT_TUI_HOME elsewhere" if free < LEAST_FREE_BYTES else ""
    return Finding("data folder", f"{folder}, {free / 2**30:.1f} GiB free", advice)


def _settings() -> Finding:
    from ..screens.config import config_path, read_config

    path = config_path()
    problems = read_config().problems
    return Finding("settings", f"{path}{'' if path.exists() else ' (not there: all as it comes)'}", "; ".join(problems))


def _terminal() -> Finding:
    encoding = (os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or "").lower()
    colours = os.environ.get("COLORTERM") or "256 colours at most"
    state = f"{os.environ.get('TERM', 'none')}, {colours}, locale {encoding or 'not set'}"
    advice = (
        ""
        if "utf" in encoding or os.environ.get("PYTHONUTF8") == "1"
        else "set LANG to a UTF-8 locale, such as C.UTF-8"
    )
    return Finding("terminal", state, advice)


def _logout() -> Finding:
    """Whether logind would end processes of a user whose SSH line drops."""
    settings = [Path("/etc/systemd/logind.conf"), *sorted(Path("/etc/systemd/logind.conf.d").glob("*.conf"))]
    kills = any(
        line.replace(" ", "").lower() == "killuserprocesses=yes"
        for path in settings
        if path.is_file()
        for line in path.read_text(errors="replace").splitlines()
    )
    if kills:
        return Finding("logout", "logind ends your processes", "run `loginctl enable-linger`, so that fits go on")
    return Finding("logout", "processes go on after the line drops")
