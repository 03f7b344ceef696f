"""The line in which the filter of a list is written, the same wherever there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from .input_line import InputLine

FILTER_WORDS = "words to look for, !word to leave out; enter keeps it, {filter.leave} leaves it"


class FilterLine(InputLine):
    """A screen begins it with `/` and tries what is typed; enter keeps it, escape puts back the one before.

    Args:
        stays: whether the line is in sight while there is no filter. Its room is kept for it in any case: what comes
            and goes has the whole screen painted anew.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="filter.leave", tooltip="Leave it, and show what was shown before"),
    ]

    @dataclass
    class Left(Message):
        """It was left; the line has the filter again that it had before."""

        line: FilterLine

        @property
        def control(self) -> FilterLine:
            """The line."""
            return self.line

    def __init__(self, *arguments: Any, stays: bool = False, **named: Any) -> None:
        super().__init__(*arguments, compact=True, **named)
        self.stays = stays
        self.visible = stays
        self._before = ""

    def begin(self) -> None:
        """A filter is to be written, or the one that holds changed."""
        self._before = self.value
        self.visible = True
        self.focus()

    def put(self, text: str) -> None:
        """Shows the filter that holds."""
        with self.prevent(InputLine.Changed):
            self.value = text
        self.visible = self.stays or bool(text)

    def action_leave(self) -> None:
        """Leaves it."""
        self.put(self._before)
        self.post_message(self.Left(self))
