"""The palette: all that can be done now, by its name, with its key beside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from dct_tui.inert import one_line

from .keymap import shown_key
from .themes import DESCRIPTIONS
from .widgets.input_line import InputLine
from .widgets.line_list import Cell, LineList

if TYPE_CHECKING:
    from .app import Workbench

__all__ = ["Command", "PaletteScreen", "commands"]

KEYS_WIDTH = 14


@dataclass(frozen=True)
class Command:
    """One thing that can be done."""

    name: str
    what: str
    keys: str
    do: Callable[[], Awaitable[Any]]
    late: bool = False
    """Whether it stands after those that the last line of the screen shows."""


def commands(app: Workbench, screen: Screen[Any]) -> list[Command]:
    """The actions of what has the focus on a screen, of the screen and of the app; then themes; then sessions."""
    found: dict[tuple[DOMNode, str], Command] = {}
    for key, (node, binding, enabled, tooltip) in screen.active_bindings.items():
        if not binding.id or not enabled or binding.action == "palette":
            continue
        same = found.get((node, binding.action))
        keys = " ".join(sorted([*(same.keys.split(" ") if same else ()), shown_key(key)], key=len))
        what = tooltip or binding.tooltip
        found[node, binding.action] = Command(
            binding.description, what, keys, _run(app, binding.action, node), not binding.show
        )
    themes = [
        Command(f"Theme: {name}", what, "now" if name == app.theme else "", _run(app, f"app.theme('{name}')", app))
        for name, what in DESCRIPTIONS.items()
    ]
    sessions = [
        Command(f"Open {one_line(path.name, 40)}", one_line(str(path.parent), 60), "", _open(app, path))
        for path in app.known_sessions()
    ]
    # The screen's own before those of lists; the rest after what the last line shows.
    own = sorted(found.items(), key=lambda one: (one[1].late, one[0][0] is not screen))
    return [*(command for _, command in own), *themes, *sessions]


def _run(app: Workbench, action: str, node: DOMNode) -> Callable[[], Awaitable[Any]]:
    return lambda: app.run_action(action, node)


def _open(app: Workbench, path: Any) -> Callable[[], Awaitable[Any]]:
    return lambda: app.open_session(path)


class _Commands(LineList):
    """What can be done, or what of it the typed words leave."""

    def __init__(self, all_of_them: Sequence[Command]) -> None:
        super().__init__()
        self.all_of_them = self.shown = list(all_of_them)

    def row_count(self) -> int:
        return len(self.shown)

    def cells(self, row: int, width: int) -> Sequence[Cell]:
        command = self.shown[row]
        name = f"{command.name}  "
        room = max(0, width - cell_len(name) - KEYS_WIDTH)
        return [
            (name, cell_len(name), ""),
            (one_line(command.what, room - 1), room, "dim"),
            (command.keys, 0, "accent"),
        ]

    def what(self, row: int) -> Command:
        return self.shown[row]

    def empty_text(self) -> str:
        return "nothing is called so"

    def filter(self, text: str) -> None:
        """Leaves what has every word of the text."""
        words = text.lower().split()
        self.shown = [
            one for one in self.all_of_them if all(word in f"{one.name} {one.what}".lower() for word in words)
        ]
        # Those first that are called so, rather than described so.
        self.shown.sort(key=lambda one: sum(word not in one.name.lower() for word in words))
        self.cursor = 0
        self.scroll_to(y=0, animate=False, force=True, immediate=True)
        self.rows_changed()


class PaletteScreen(ModalScreen[None]):
    """The palette. Type some of a name; enter does it."""

    CSS_PATH = "palette.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,ctrl+x", "leave", "Close", id="palette.close", priority=True, tooltip="Leave without doing anything"
        ),
        Binding("down,ctrl+n", "move(1)", "Down", id="palette.down", tooltip="To the next"),
        Binding("up", "move(-1)", "Up", id="palette.up", tooltip="To the one before"),
        Binding("pagedown", "move(10)", "Page down", id="palette.page_down", tooltip="Ten further"),
        Binding("pageup", "move(-10)", "Page up", id="palette.page_up", tooltip="Ten back"),
    ]

    def __init__(self, about: Screen[Any]) -> None:
        super().__init__()
        self.about = about

    def compose(self) -> ComposeResult:
        """A line to type in, and what there is."""
        with Vertical(classes="palette"):
            yield InputLine(placeholder="what to do…", compact=True)
            yield _Commands(commands(cast("Workbench", self.app), self.about))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrows the list."""
        self.query_one(_Commands).filter(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Does what the cursor is on."""
        self.query_one(_Commands).action_choose()

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """Does it, the palette being gone."""
        if not self.is_current:
            return
        app = cast("Workbench", self.app)
        self.dismiss(None)
        app.call_later(app.attempt, event.what.do)

    def action_move(self, rows: int) -> None:
        """Moves the cursor of the list, the line keeping the focus."""
        self.query_one(_Commands).action_move(rows)

    def action_leave(self) -> None:
        """Closes it."""
        self.dismiss(None)
