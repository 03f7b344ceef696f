"""What cannot be meant in a person's keys: told when the workbench starts, and in its help."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Mapping
from functools import cache
from itertools import combinations
from pathlib import Path

from textual.dom import DOMNode
from textual.keys import KEY_NAME_REPLACEMENTS, KEY_TO_UNICODE_NAME, Keys, format_key
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea

from .keymap import BoundKeys, all_bindings, loaded

__all__ = ["keymap_problems"]

MODIFIERS = {"ctrl", "shift", "alt", "super", "meta", "hyper"}
SENT_AS = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+left_square_bracket": "escape"}
MOVING = {"up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete"}
WITH_CTRL = {"at", "@", "backslash", "\\", "right_square_bracket", "]", "circumflex_accent", "^", "underscore", "_"}
TYPED_IN = (Input, TextArea)


def keymap_problems(keys: Mapping[str, str]) -> list[str]:
    """Unknown ids, no keys, keys that terminals do not send, and keys that something else takes first.

    Args:
        keys: id of a binding → its keys, separated by commas.
    """
    bindings = {bound.id: bound for bound in all_bindings()}
    problems = []
    for id, text in keys.items():
        if id not in bindings:
            problems.append(f"config.toml: keys.{id} is no action; docs/keys.md lists them")
            continue
        for key in text.split(","):
            if wrong := _wrong(key):
                problems.append(f"config.toml: keys.{id}: {wrong}")
            elif _is_typed(key) and (bindings[id].priority or _is_typed_in(bindings[id].owner)):
                problems.append(f"config.toml: keys.{id}: {key} could not be typed any more, or is always typed")
    return problems + _met(keys, bindings)


# One key


def _wrong(key: str) -> str:
    """What is wrong with a key; empty: nothing."""
    *modifiers, last = key.split("+") if key != "+" else [key]
    if not _is_key(modifiers, last):
        return f"there is no key {key!r:.30}"
    if key in SENT_AS:
        return f"a terminal sends {SENT_AS[key]} for {key}"
    if modifiers == ["shift"] and len(last) == 1 and last.isalpha():
        return f"shift+{last} is written {last.upper()}"
    return "" if _is_sent(set(modifiers), last) else f"most terminals do not send {key}"


def _is_sent(modifiers: set[str], last: str) -> bool:
    moving = last in MOVING or re.fullmatch(r"f\d+", last) is not None
    letter = len(last) == 1 and last.isascii() and last.islower()
    return {
        frozenset(): True,
        frozenset({"ctrl"}): moving or letter or last == "space" or last in WITH_CTRL,
        frozenset({"shift"}): moving or last == "tab",
        frozenset({"alt"}): True,
        frozenset({"ctrl", "alt"}): moving or letter,
    }.get(frozenset(modifiers), moving and modifiers <= {"ctrl", "shift", "alt"})


def _is_key(modifiers: list[str], last: str) -> bool:
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


def _is_typed(key: str) -> bool:
    return key == "space" or len(key) == 1 or (len(_short(key)) == 1 and _short(key).isascii())


def _short(key: str) -> str:
    """`?` and `question_mark` are one key."""
    return key if "+" in key and key != "+" else format_key(key)


# Keys that meet


def _met(keys: Mapping[str, str], bindings: Mapping[str, BoundKeys]) -> list[str]:
    """Pairs of actions of one screen on one key, which they are not as they come."""
    usual = {id: {_short(key) for key in bound.keys} for id, bound in bindings.items()}
    now = usual | {id: {_short(key) for key in keys[id].split(",")} for id in keys if id in bindings}
    problems, later = set(), dict[tuple[str, str], set[str]]()
    for near, far, same in _pairs(list(bindings.values())):
        if (near.id not in keys and far.id not in keys) or usual[near.id] & usual[far.id]:
            continue
        first, second = (far, near) if far.priority and not near.priority else (near, far)
        for key in now[near.id] & now[far.id]:
            if same:
                problems.add(f"config.toml: {first.id} and {second.id} are both on {key}")
            else:
                later.setdefault((first.id, key), set()).add(second.id)
    problems |= {f"config.toml: {id} takes {key} before {', '.join(sorted(ids))}" for (id, key), ids in later.items()}
    return sorted(problems)


def _pairs(bounds: list[BoundKeys]) -> set[tuple[BoundKeys, BoundKeys, bool]]:
    """Actions that can be reached at once, what is nearer to the focus first; whether they belong to the same."""
    own: dict[type[DOMNode], list[BoundKeys]] = {}
    for bound in bounds:
        own.setdefault(bound.owner, []).append(bound)
    nodes = _ours()

    def all_of(node: type[DOMNode]) -> list[BoundKeys]:
        return [bound for part in node.__mro__ for bound in own.get(part, ())]

    everywhere = [bound for bound in bounds if bound.owner.__name__ == "Workbench"]
    found = {(one, other, True) for one, other in combinations(everywhere, 2)}
    for screen in (node for node in nodes.values() if issubclass(node, Screen)):
        here = all_of(screen)
        found |= {(one, other, True) for one, other in combinations(here, 2)}
        beyond = [] if issubclass(screen, ModalScreen) else everywhere
        found |= {(one, other, False) for one in here for other in beyond}
        for widget in _held(screen, nodes):
            near = all_of(widget)
            found |= {(one, other, True) for one, other in combinations(near, 2)}
            found |= {(one, other, False) for one in near for other in [*here, *beyond]}
    return found


def _held(screen: type[DOMNode], nodes: Mapping[str, type[DOMNode]]) -> set[type[DOMNode]]:
    """The widgets that a screen is made of: those that its class names, and those that these name."""
    held: set[type[DOMNode]] = set()
    ahead = [screen]
    while ahead:
        for part in ahead.pop().__mro__:
            if not part.__module__.startswith(f"{__package__}."):
                continue
            for name in _words(part.__module__).get(part.__name__, frozenset()) & nodes.keys():
                node = nodes[name]
                if issubclass(node, Widget) and not issubclass(node, Screen) and node not in held:
                    held.add(node)
                    ahead.append(node)
    return held


@cache
def _words(module: str) -> dict[str, frozenset[str]]:
    """The words of each class of a module."""
    text = Path(str(sys.modules[module].__file__)).read_text(encoding="utf-8")
    classes = re.finditer(r"^class (\w+).*?(?=^(?:class|def|async|if)\b|^@|\Z)", text, re.MULTILINE | re.DOTALL)
    return {found[1]: frozenset(re.findall(r"\w+", found[0])) for found in classes}


def _is_typed_in(owner: type[DOMNode]) -> bool:
    """Whether what is typed goes into a line: there every letter does."""
    if issubclass(owner, TYPED_IN):
        return True
    return issubclass(owner, ModalScreen) and any(issubclass(widget, TYPED_IN) for widget in _held(owner, _ours()))


def _ours() -> dict[str, type[DOMNode]]:
    return {node.__name__: node for node in loaded(DOMNode) if node.__module__.startswith(f"{__package__}.")}
