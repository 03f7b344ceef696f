"""The settings of a fit, one a line: title, value, and what is to be said beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from dct_tui.inert import columns, one_line

from .line_list import Cell, LineList

TITLE, VALUE = 15, 20
WRONG = "✗ "


@dataclass(frozen=True)
class Setting:
    """One line of the form; texts need not be inert.

    Attributes:
        name: by which its screen knows it.
        steps: whether left and right change it.
        problem: what is wrong with its value; empty where nothing is.
    """

    name: str
    title: str
    value: str
    note: str = ""
    steps: bool = False
    problem: str = ""


class SettingsForm(LineList):
    """A list of settings. Enter chooses or types a value; left and right step through those that can be stepped."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Change", id="form.change", tooltip="Type the value, or choose it"),
        Binding("left,minus", "step(-1)", "Less", id="form.less", show=False, tooltip="The value before this one"),
        Binding("right,plus", "step(1)", "More", id="form.more", show=False, tooltip="The value after this one"),
    ]

    @dataclass
    class Stepped(Message):
        """Left (−1) or right (1) was pressed on a setting."""

        name: str
        by: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.settings: list[Setting] = []
        self.highlight = TITLE + VALUE + 1

    def show(self, settings: Sequence[Setting]) -> None:
        """Shows these settings, repainting those that look otherwise than before."""
        before, self.settings = self.settings, list(settings)
        if len(before) != len(settings):
            self.rows_changed()
        else:
            self.row_changed(*(place for place, setting in enumerate(settings) if setting != before[place]))

    @property
    def at(self) -> Setting | None:
        """The setting under the cursor."""
        return self.settings[self.cursor] if self.settings else None

    def go_to_setting(self, name: str) -> None:
        """Puts the cursor on a setting."""
        self.go_to(next((place for place, setting in enumerate(self.settings) if setting.name == name), 0))

    def row_count(self) -> int:
        """How many settings there are."""
        return len(self.settings)

    def cells(self, row: int, width: int) -> Sequence[Cell]:
        """A setting."""
        setting = self.settings[row]
        around = "‹ › " if setting.steps else "    "
        value = one_line(setting.value, VALUE - 5)
        value += " " * (VALUE - 4 - columns(value))
        beside = WRONG + setting.problem if setting.problem else setting.note
        return [
            (setting.title, TITLE, ""),
            (around[:2] + value + around[2:], VALUE, ""),
            (one_line(beside, max(1, width - TITLE - VALUE)), 0, "bad" if setting.problem else "dim"),
        ]

    def action_step(self, by: int) -> None:
        """Steps through the values of the setting under the cursor."""
        if self.at is not None and self.at.steps:
            self.post_message(self.Stepped(self.at.name, by))
