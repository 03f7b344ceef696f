"""What a person has set: `config.toml`, which is theirs to write, and `state.json`, which the workbench writes."""

from __future__ import annotations

import os
import tomllib
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import platformdirs

from dct_tui.errors import DctError
from dct_tui.paths import data_root, expand
from dct_tui.sessions.regular import read_regular

__all__ = ["Config", "config_path", "read_config", "read_state", "remember"]

STATE_FILE = "state.json"

SETTINGS: dict[str, dict[str, type]] = {
    "look": {"theme": str, "mouse": bool, "letters": bool},
    "engine": {"idle_minutes": float},
    "triage": {"auto_advance": bool},
}
"""Section → name → kind. `[keys]` holds ids of bindings instead."""

_KINDS = {str: "a text in quotes", bool: "true or false", float: "a number above 0"}


@dataclass(frozen=True)
class Config:
    """The settings, defaults filled in.

    Attributes:
        keys: id of a binding → its keys, separated by commas.
        theme: None where none was chosen.
        mouse: whether the mouse is asked for.
        letters: whether letters stand in place of signs such as ★; None where the terminal decides.
        idle_minutes: after how long an engine without work ends; None leaves it to the engine.
        auto_advance: whether a mark moves to the next feature that is not judged.
        problems: what of the file could not be used, a line each.
    """

    keys: dict[str, str] = field(default_factory=dict)
    theme: str | None = None
    mouse: bool = True
    letters: bool | None = None
    idle_minutes: float | None = None
    auto_advance: bool = True
    problems: tuple[str, ...] = ()


def config_path() -> Path:
    """Where `config.toml` is looked for: in `DCT_TUI_HOME`, or the platform's place for settings.

    Raises:
        DctError: `DCT_TUI_HOME` can be no path here.
    """
    home = os.environ.get("DCT_TUI_HOME", "")
    folder = expand(home) if home else platformdirs.user_config_path("dct-tui", appauthor=False)
    return folder / "config.toml"


def read_config() -> Config:
    """The settings as they are written. What cannot be used is left out and told in `problems`; nothing is raised."""
    path = config_path()
    if path.exists() and not path.is_file():  # a pipe would be waited for
        return Config(problems=(f"{path} is no file",))
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return Config()
    except OSError as error:
        return Config(problems=(f"{path} cannot be read: {error.strerror}",))
    except UnicodeDecodeError:
        return Config(problems=(f"{path} is not UTF-8 text",))
    except tomllib.TOMLDecodeError as error:
        return Config(problems=(f"{path}: {error}",))
    problems: list[str] = []
    values: dict[str, Any] = {}
    for section, content in document.items():
        if section != "keys" and section not in SETTINGS:
            problems.append(f"{path}: there is no section [{section}]; there are keys, {', '.join(SETTINGS)}")
        elif not isinstance(content, dict):
            problems.append(f"{path}: {section} is a section, written [{section}]")
        elif section == "keys":
            values["keys"] = _keys(content, path, problems)
        else:
            values.update(_section(section, content, path, problems))
    return Config(**values, problems=tuple(problems))


def read_state() -> dict[str, Any]:
    """What the workbench remembers from one time to the next; empty where it cannot be read."""
    with suppress(OSError, orjson.JSONDecodeError, DctError):
        document = orjson.loads(read_regular(data_root() / STATE_FILE))
        if isinstance(document, dict):
            return document
    return {}


def remember(**changes: Any) -> None:
    """Adds to what is remembered. Where it cannot be written it is forgotten: nothing depends on it."""
    from dct_tui.sessions.atomic import write_atomic

    with suppress(OSError, DctError):
        root = data_root()
        root.mkdir(parents=True, exist_ok=True)
        write_atomic(root / STATE_FILE, orjson.dumps({**read_state(), **changes}))


def _keys(content: dict[str, Any], path: Path, problems: list[str], prefix: str = "") -> dict[str, str]:
    keys: dict[str, str] = {}
    for name, value in content.items():
        # `features.star = "f"` is a table within a table to TOML, and means the id all the same.
        if isinstance(value, dict):
            keys |= _keys(value, path, problems, f"{prefix}{name}.")
        elif isinstance(value, str) and value.strip():
            keys[prefix + name] = ",".join(key.strip() for key in value.split(",") if key.strip())
        else:
            problems.append(f'{path}: keys.{prefix}{name} should be a key in quotes, such as "f" or "ctrl+f,f5"')
    return keys


def _section(section: str, content: dict[str, Any], path: Path, problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in content.items():
        kind = SETTINGS[section].get(name)
        if kind is None:
            problems.append(f"{path}: [{section}] has no {name}; it has {', '.join(SETTINGS[section])}")
        elif not _is(value, kind):
            problems.append(f"{path}: {section}.{name} should be {_KINDS[kind]}, not {value!r:.40}")
        else:
            values[name] = value
    return values


def _is(value: object, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")
    return isinstance(value, kind)
