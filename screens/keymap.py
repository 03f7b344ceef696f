"""Every binding of the workbench in one registry: what its keys are called, and their documentation.

`python -m dct_tui.screens.keymap` prints `docs/keys.md`.
"""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from textual._context import active_app
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import format_key

__all__ = ["BoundKeys", "all_bindings", "document", "key_of", "loaded", "shown_key", "with_keys"]

SHOWN = {"pagedown": "page down", "pageup": "page up", "enter": "enter", "escape": "escape", "question_mark": "?"}


@dataclass(frozen=True)
class BoundKeys:
    """One id: what it does, where, and its keys unless they are changed."""

    id: str
    keys: tuple[str, ...]
    description: str
    tooltip: str
    owner: type[DOMNode]
    priority: bool


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
            for bound in _own(owner):
                found.setdefault(bound.id, bound)
    return list(found.values())


def key_of(id: str) -> str:
    """The first key of a binding as it is written for people, and as the person has set it.

    Raises:
        KeyError: no binding has that id.
    """
    app = active_app.get(None)
    changed = app._keymap.get(id) if app is not None else None
    return shown_key((changed or _usual_keys(id)).split(",")[0])


def with_keys(text: str) -> str:
    """A text of our own in which `{home.new}` stands for the key of that binding."""
    return re.sub(r"\{([\w.]+)\}", lambda found: key_of(found[1]), text)


@cache
def _usual_keys(id: str) -> str:
    bounds = {bound.id: bound for owner in loaded(DOMNode) for bound in _own(owner)}
    if id not in bounds:
        bounds = {bound.id: bound for bound in all_bindings()}
    return ",".join(bounds[id].keys)


def loaded(node: type[DOMNode]) -> Iterator[type[DOMNode]]:
    """The kinds of a node whose modules were imported."""
    for kind in node.__subclasses__():
        yield kind
        yield from loaded(kind)


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


def _own(owner: type[DOMNode]) -> Iterator[BoundKeys]:
    for binding in owner.__dict__.get("BINDINGS", ()):
        if isinstance(binding, Binding) and binding.id:
            keys = tuple(key.strip() for key in binding.key.split(","))
            yield BoundKeys(binding.id, keys, binding.description, binding.tooltip, owner, binding.priority)


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


HEAD = """# Keys and settings

`?` shows the keys that do something where you are, `ctrl+p` all that can be done. Every key can be changed in
`config.toml`; `dct-tui doctor` says where that file is looked for.

```toml
[keys]                          # id = "key", or several: "key,other"; the ids are below
"features.star" = "f"
"list.down" = "alt+j,down"

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
