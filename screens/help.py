"""Help for what has the focus: what this screen is for, what there is to know, and what every key does here."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from .help_words import Topic, topic_of, topics_of
from .keymap import shown_key, with_keys
from .widgets.changing_lines import Line
from .widgets.scrolled_lines import ScrolledLines
from .widgets.transcript_wrap import Wrapped

__all__ = ["HelpScreen", "help_lines", "help_topics"]

LONGEST_TERM = 12
"""Columns of the terms; what a longer one means stands below it."""
FOR_AUTHORS = ("Args:", "Attributes:", "Raises:", "Returns:")


class HelpScreen(ModalScreen[None]):
    """Help. Its keys are those of the bindings themselves, so that it cannot be out of date."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape,question_mark,enter", "leave", "Close", id="help.close", tooltip="Close the help"),
        Binding("space", "page", "Page down", id="help.page", tooltip="A page down"),
    ]

    def __init__(self, about: Screen[Any]) -> None:
        super().__init__()
        self.topics = help_topics(about)
        self.about = about

    def compose(self) -> ComposeResult:
        """What is to be read, and how."""
        with Vertical(classes="help"):
            yield ScrolledLines()
            yield Static(
                with_keys("{list.down} {list.up}, {help.page} and {list.last} scroll   {help.close} closes"),
                classes="help--keys",
            )

    def on_mount(self) -> None:
        """Fills it."""
        lines = self.query_one(ScrolledLines)
        lines.show(lambda width: help_lines(self.topics, width))
        lines.focus()

    def action_leave(self) -> None:
        """Closes it."""
        self.dismiss(None)

    def action_page(self) -> None:
        """Scrolls."""
        self.query_one(ScrolledLines).action_page(1)


def help_topics(screen: Screen[Any]) -> list[Topic]:
    """What is wrong in the settings; the purpose of a screen and its keys; what else is to be known there; the rest."""
    keys = _keys(screen)
    wrong = Topic("Wrong in the settings", "\n\n".join(getattr(screen.app, "problems", ())))
    own = Topic("On this screen", _purpose(screen), keys.pop(screen, ()))
    everywhere = Topic("Everywhere", terms=keys.pop(screen.app, ()))
    nodes = [node for node in (screen.focused, *sorted(keys, key=_depth)) if node is not None]
    said = [(node, topic_of(type(node))) for node in dict.fromkeys(nodes)]
    widgets = [Topic(one.title, one.text, keys.get(node, ())) for node, one in said if one is not None]
    return [
        topic for topic in (wrong, own, *topics_of(type(screen)), *widgets, everywhere) if topic.text or topic.terms
    ]


def help_lines(topics: Sequence[Topic], width: int) -> list[Line]:
    """Topics as lines: sentences wrapped, and terms in a column beside what they mean."""
    lines: list[Line] = []
    for topic in topics:
        lines += [[], [(topic.title, "bold")]] if lines else [[(topic.title, "bold")]]
        for paragraph in filter(None, topic.text.split("\n\n")):
            lines += [[(line, "")] for line in Wrapped(paragraph, width).lines]
        columns = max((cell_len(term) for term, _ in topic.terms if cell_len(term) <= LONGEST_TERM), default=0) + 4
        for term, what in topic.terms:
            meant = Wrapped(what, width - columns).lines
            if cell_len(term) + 4 > columns:
                lines.append([(f"  {term}", "accent")])
            else:
                lines.append([(f"  {term}".ljust(columns), "accent"), (meant.pop(0), "")])
            lines += [[(" " * columns + line, "")] for line in meant]
    return lines


def _purpose(screen: Screen[Any]) -> str:
    """What a screen is for, as its class says; what it says to those who write it is left out."""
    paragraphs = (inspect.getdoc(type(screen)) or "").split("\n\n")
    return "\n\n".join(" ".join(one.split()) for one in paragraphs if not one.startswith(FOR_AUTHORS))


def _keys(screen: Screen[Any]) -> dict[DOMNode, tuple[tuple[str, str], ...]]:
    """The keys that do something now and what they do, by what they belong to."""
    found: dict[DOMNode, dict[str, tuple[list[str], str]]] = {}
    for key, (node, binding, _, tooltip) in screen.active_bindings.items():
        if not binding.id:  # Textual's own, such as scrolling to the left.
            continue
        actions = found.setdefault(node, {})
        keys, _ = actions.setdefault(binding.action, ([], tooltip or binding.tooltip or binding.description))
        keys.append(shown_key(key))
    return {
        node: tuple((" ".join(sorted(keys, key=len)), what) for keys, what in actions.values())
        for node, actions in found.items()
    }


def _depth(node: DOMNode) -> int:
    return -len(node.ancestors)
