"""Typing the name of a model: cached ids and paths are completed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.suggester import Suggester
from textual.widgets import Input

from dct_tui.errors import DctError

from .dialogs import DIALOG_CSS, EnterText
from .paths_typed import PathSuggester


class ModelSuggester(Suggester):
    """Offers the rest of a known model's name, else of a path."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.names = sorted(names)
        self.paths = PathSuggester(folders_only=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The whole line, or None."""
        if not value:
            return None
        known = (name for name in self.names if name.lower().startswith(value.lower()) and name != value)
        # What was typed stays as it was typed.
        found = next((value + name[len(value) :] for name in known), None)
        return found or await self.paths.get_suggestion(value)


class TypeModel(EnterText):
    """Asks for a path or a hub id; tab completes it."""

    DEFAULT_CSS = DIALOG_CSS.replace("EnterText,", "TypeModel,")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", id="model.complete", tooltip="Take the rest that is offered"),
    ]

    def __init__(self, names: Sequence[str], value: str = "") -> None:
        super().__init__(
            "Which model?",
            value,
            detail="a folder, or an id of the hub such as owner/name; tab or right completes",
            check=_has_name,
            suggester=ModelSuggester(names),
        )

    def on_mount(self) -> None:
        """What is typed takes the place of what was typed before; the arrows keep it."""
        self.query_one(Input).select_all()

    def action_complete(self) -> None:
        """Takes what is offered."""
        field = self.query_one(Input)
        field.cursor_position = len(field.value)
        field.action_cursor_right()


def _has_name(text: str) -> None:
    if not text.strip():
        raise DctError("a name is needed", "escape leaves it")
