"""Every binding of the workbench in one registry: it checks a person's keys, and writes their documentation.

`python -m dct_tui.screens.keymap` prints `docs/keys.md`.
"""

from __future__ import annotations

import inspect
import pkgutil
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import KEY_NAME_REPLACEMENTS, KEY_TO_UNICODE_NAME, Keys, format_key

__all__ = ["BoundKeys", "all_bindings", "document", "keymap_problems", "shown_key"]

MODIFIERS = {"ctrl", "shift", "alt", "super", "meta", "hyper"}
TERMINAL_LACKS = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace"}
SHOWN = {"pagedown": "page down", "pageup": "page up", "enter": "enter", "escape": "escape", "question_mark": "?"}


@dataclass(frozen=True)
class BoundKeys:
    """One id: what it does, where, and its keys unless they are changed."""

    id: str
    keys: tuple[str, ...]
    description: str
    tooltip: str
    owner: type[DOMNode]


def all_bindings() -> list[BoundKeys]:
    """Every binding with an id, by where it belongs. Imports every screen."""
    package = Path(__file__).parent
    root = __package__ or ""
    names = [f"{root}.{module.name}" for module in pkgutil.iter_modules([str(package)])]
    names += [f"{root}.widgets.{module.name}" for module in pkgutil.iter_modules([str(package / "widgets")])]
    found: dict[str, BoundKeys] = {}
    for name in sorted(names):
        for _, owner in inspect.getmembers(import_module(name), inspect.isclass):
            if owner.__module__ != name or not issubclass(owner, DOMNode):
                continue
            for binding in _own(owner):
                keys = tuple(key.strip() for key in binding.key.split(","))
                found.setdefault(
                    binding.id or "", BoundKeys(binding.id or "", keys, binding.description, binding.tooltip, owner)
                )
    found.pop("", None)
    return list(found.values())


def keymap_problems(keys: Mapping[str, str]) -> list[str]:
    """What cannot be meant in a person's keys: unknown ids, no keys, two actions of a place on one key."""
    bindings = {bound.id: bound for bound in all_bindings()}
    problems = []
    for id, text in keys.items():
        if id not in bindings:
            problems.append(f"config.toml: keys.{id} is no action; docs/keys.md lists them")
            continue
        for key in text.split(","):
            if not _is_key(key):
                problems.append(f"config.toml: keys.{id}: there is no key {key!r:.30}")
            elif key in TERMINAL_LACKS:
                problems.append(f"config.toml: keys.{id}: a terminal sends {TERMINAL_LACKS[key]} for {key}")
    taken: dict[tuple[type[DOMNode], str], str] = {}
    for id, bound in bindings.items():
        for key in _short_names(keys[id].split(",") if id in keys else bound.keys):
            other = taken.setdefault((bound.owner, key), id)
            if other != id and (id in keys or other in keys):
                problems.append(f"config.toml: {other} and {id} are both on {key}")
    return problems


def document() -> str:
    """The contents of `docs/keys.md`."""
    lines = [HEAD]
    owners: dict[type[DOMNode], list[BoundKeys]] = {}
    for bound in all_bindings():
        owners.setdefault(bound.owner, []).append(bound)
    for owner, bounds in sorted(owners.items(), key=lambda pair: (_rank(pair[0]), pair[0].__name__)):
        lines += [f"\n## {_title(owner)}\n", "| id | keys | what it does |", "|---|---|---|"]
        for bound in bounds:
            keys = " ".join(f"`{shown_key(key)}`" for key in bound.keys).replace("|", "\\|")
            lines.append(f"| `{bound.id}` | {keys} | {bound.tooltip or bound.description} |")
    return "\n".join(lines) + "\n"


def shown_key(key: str) -> str:
    """A key as it is written for people: `?`, `ctrl+p`, `page down`."""
    *modifiers, last = key.split("+") if key != "+" else [key]
    return "+".join([*modifiers, SHOWN.get(last) or format_key(last)])


def _own(owner: type[DOMNode]) -> Iterable[Binding]:
    for binding in owner.__dict__.get("BINDINGS", ()):
        if isinstance(binding, Binding):
            yield binding


def _title(owner: type[DOMNode]) -> str:
    # Here, for every screen imports this module to write keys.
    from .help_words import topic_of

    if owner.__name__ == "Workbench":
        return "Everywhere"
    if (topic := topic_of(owner)) is not None:
        return topic.title
    return (inspect.getdoc(owner) or owner.__name__).partition("\n")[0].rstrip(".")


def _rank(owner: type[DOMNode]) -> int:
    return 0 if owner.__name__ == "Workbench" else 1 if owner.__name__ == "LineList" else 2


def _is_key(key: str) -> bool:
    *modifiers, last = key.split("+") if key != "+" else [key]
    if not set(modifiers) <= MODIFIERS or not last:
        return False
    if len(last) == 1 or last in KEY_TO_UNICODE_NAME or last in KEY_NAME_REPLACEMENTS.values():
        return True
    if last in {named.value for named in Keys}:
        return True
    try:
        unicodedata.lookup(last.replace("_", " ").upper())
    except KeyError:
        return False
    return True


def _short_names(keys: Iterable[str]) -> list[str]:
    """`?` and `question_mark` are one key."""
    return [format_key(key) if "+" not in key else key for key in keys]


HEAD = """# Keys and settings

`?` shows the keys that do something where you are, `ctrl+p` all that can be done. Every key can be changed in
`config.toml`; `dct-tui doctor` says where that file is looked for.

```toml
[keys]                          # id = "key", or several: "key,other"; the ids are below
"features.star" = "f"
"list.down" = "n,down"

[look]
theme = "light"                 # dark, light, blue-orange, red-teal, terminal
mouse = false                   # as --no-mouse
letters = true                  # in place of signs such as ★ and ✗; by default as your terminal and LANG say

[engine]
idle_minutes = 10               # after so long without work an engine ends

[triage]
auto_advance = false            # a mark stays where it is, rather than going to the next feature
```

`blue-orange` is for eyes that take red for green, `red-teal` for those that take blue for green or yellow for pink;
`terminal` uses your terminal's own sixteen colours, as every theme does where `NO_COLOR` is set. A theme chosen in the
palette is remembered unless `config.toml` names one. What is wrong in the file is said when the workbench starts, and
is left out. Keys are named as in `ctrl+f`, `f5`, `space`, `question_mark`; leave ctrl+i, ctrl+m and ctrl+h alone, which
terminals send for tab, enter and backspace."""


if __name__ == "__main__":
    print(document(), end="")
