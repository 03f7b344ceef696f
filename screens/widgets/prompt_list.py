"""The prompts of a fit, one a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from dct_tui.inert import one_line

from ..keymap import with_keys
from ..layers_draft import PromptDraft
from .line_list import Cell, LineList

HELD, FITTED, GIVEN = "held back", "fitted on", "judged on"


class PromptList(LineList):
    """The prompts, numbered; what each is for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Edit", id="prompts.edit", tooltip="Edit the prompt under the cursor"),
    ]

    highlight = 15
    draft = PromptDraft()
    seed = 0
    uses: Sequence[tuple[str, str]] = ()

    def show(self, draft: PromptDraft, seed: int) -> None:
        """Shows these prompts."""
        self.draft, self.seed = draft, seed
        _, held = draft.split(seed)
        kept = set(held) if draft.validation is None else set()
        self.uses = [(HELD if prompt in kept else FITTED, prompt) for prompt in draft.fit]
        self.uses = [*self.uses, *((GIVEN, prompt) for prompt in draft.validation or ())]
        self.rows_changed()

    @property
    def at(self) -> str | None:
        """The prompt under the cursor."""
        return self.uses[self.cursor][1] if self.uses else None

    def row_count(self) -> int:
        """How many there are."""
        return len(self.uses)

    def what(self, row: int) -> str:
        """The prompt."""
        return self.uses[row][1]

    def header(self, width: int) -> Sequence[Cell]:
        """How many are for what, and the system prompt."""
        fitted, held = self.draft.split(self.seed)
        system = f"; system prompt: {self.draft.system}" if self.draft.system else ""
        return [(one_line(f"prompts: {len(fitted)} to fit on, {len(held)} to judge on{system}", width), 0, "")]

    def cells(self, row: int, width: int) -> Sequence[Cell]:
        """Its number, what it is for, and its beginning."""
        use, prompt = self.uses[row]
        return [
            (f"{row + 1:>4} ", 5, ""),
            (use, 10, "dim" if use == FITTED else "accent"),
            (one_line(prompt, width), 0, ""),
        ]

    def empty_text(self) -> str:
        """What to do first."""
        return with_keys(
            "No prompts yet: {prompts.add} adds one, {prompts.read} reads a file, or paste them here, one a line."
        )
