"""Help for what has the focus: what this screen is for, and what every key does here."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from .keymap import shown_key

__all__ = ["HelpScreen", "purpose"]


class HelpScreen(ModalScreen[None]):
    """Help. Its keys are those of the bindings themselves, so that it cannot be out of date."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape,question_mark,enter", "leave", "Close", id="help.close", tooltip="Close the help"),
        Binding("j,down", "roll(1)", "Down", id="help.down", tooltip="A line down"),
        Binding("k,up", "roll(-1)", "Up", id="help.up", tooltip="A line up"),
        Binding("space,pagedown,ctrl+d", "roll(10)", "Page down", id="help.page_down", tooltip="A page down"),
        Binding("pageup,ctrl+u", "roll(-10)", "Page up", id="help.page_up", tooltip="A page up"),
    ]

    def __init__(self, about: Screen[Any]) -> None:
        super().__init__()
        self.about = about

    def compose(self) -> ComposeResult:
        """The purpose of the screen, then the keys by what they belong to, nearest first."""
        with Vertical(classes="help"):
            with VerticalScroll(can_focus=False):
                yield Static(purpose(self.about), classes="help--purpose", markup=False)
                for title, lines in key_groups(self.about):
                    yield Static(title, classes="help--title", markup=False)
                    yield Static(_table(lines), markup=False)
            yield Static("j k scroll   q closes", classes="help--keys")

    def action_leave(self) -> None:
        """Closes it."""
        self.dismiss(None)

    def action_roll(self, lines: int) -> None:
        """Scrolls."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def purpose(screen: Screen[Any]) -> str:
    """What a screen is for: its HELP, or else what its class says of itself."""
    text = screen.HELP or inspect.getdoc(type(screen)) or ""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def key_groups(screen: Screen[Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Titles, and under each the keys and what they do: of the focused widget, of the screen, of everywhere."""
    groups: dict[DOMNode, dict[str, tuple[list[str], str]]] = {}
    for key, (node, binding, _, tooltip) in screen.active_bindings.items():
        if not binding.id:  # Textual's own, such as scrolling to the left.
            continue
        actions = groups.setdefault(node, {})
        keys, _ = actions.setdefault(binding.action, ([], tooltip or binding.tooltip or binding.description))
        keys.append(shown_key(key))
    # The screen's own keys first: that is what one has come for.
    ordered = sorted(groups, key=lambda node: (node is not screen, -len(node.ancestors)))
    return [
        (_title(node), [(" ".join(sorted(keys, key=len)), what) for keys, what in groups[node].values()])
        for node in ordered
    ]


def _title(node: DOMNode) -> str:
    if node is node.app:
        return "Everywhere"
    if isinstance(node, Screen):
        return "On this screen"
    return (inspect.getdoc(type(node)) or type(node).__name__).partition("\n")[0].partition(":")[0].rstrip(".")


def _table(lines: list[tuple[str, str]]) -> Content:
    width = max(cell_len(keys) for keys, _ in lines)
    rows = [
        Content.styled(f"  {keys}{' ' * (width - cell_len(keys))}  ", "bold") + Content(what) for keys, what in lines
    ]
    return Content("\n").join(rows)
