"""A line to type in, whose text may come from a model or a file: it is shown inert, and its cursor stands still."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from rich.text import Text
from textual.suggester import SuggestionReady
from textual.widgets import Input

from dct_tui.inert import inert

SHOWN = str.maketrans({"\n": "↵", "\t": " "})


class InputLine(Input):
    """An `Input` that shows its value inert; the value keeps its characters, so what was not changed stays as it was.

    A completion that cannot be shown as it is, is not offered.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # A blinking cursor costs bytes while nothing happens.
        self.cursor_blink = False

    @property
    def _value(self) -> Text:
        # One character for each of the value, or the cursor would stand elsewhere.
        return Text(_shown(self.value), no_wrap=True, overflow="ignore", end="")

    def _position_to_cell(self, position: int) -> int:
        return cell_len(_shown(self.value[:position]))

    async def _on_suggestion_ready(self, event: SuggestionReady) -> None:
        if _shown(event.suggestion) != event.suggestion:
            event.prevent_default()

    def replace(self, text: str, start: int, end: int) -> None:
        """Puts a text in the place of a part; all that is typed or pasted comes this way. Of many lines, the first."""
        super().replace(inert(next(iter(text.splitlines()), "")), start, end)


def _shown(text: str) -> str:
    return inert(text).translate(SHOWN)
