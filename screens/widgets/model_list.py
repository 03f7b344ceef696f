"""The models that can be fitted, one a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from dct_tui.inert import one_line

from ..model_lines import ModelLine, count, matching, size
from .line_list import Cell, LineList

KIND, PARAMETERS, BLOCKS, BYTES, DTYPE, CHAT = 12, 8, 7, 10, 10, 5
DTYPE_FROM, KIND_FROM = 74, 62
LEAST_NAME = 22


class ModelList(LineList):
    """Name, architecture, parameters, blocks, size, dtype, and whether there is a chat template; ✗ cannot be opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Choose", id="model.choose", tooltip="Go on to its layers and prompts"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.models: list[ModelLine] = []
        self.shown: list[ModelLine] = []
        self.filter = ""
        self.missing = "looking for models…"

    @property
    def at(self) -> ModelLine | None:
        """The model under the cursor."""
        return self.shown[self.cursor] if self.shown else None

    def show(self, models: Sequence[ModelLine], name: str | None = None) -> None:
        """Shows these models, the cursor on the one of that name, else on the one it was on."""
        here = name or (self.at.name if self.at else None)
        self.models = list(models)
        self._choose(here)

    def narrow(self, text: str) -> None:
        """Shows those that a filter leaves."""
        here = self.at.name if self.at else None
        self.filter = text
        self._choose(here)

    def row_count(self) -> int:
        """How many are shown."""
        return len(self.shown)

    def what(self, row: int) -> ModelLine:
        """The model."""
        return self.shown[row]

    def header(self, width: int) -> Sequence[Cell]:
        """The columns' names."""
        name, kind, dtype = self._columns(width - 1)
        return [
            ("model", name, ""),
            *([("kind", KIND, "")] if kind else []),
            (f"{'params':>{PARAMETERS - 1}}", PARAMETERS, ""),
            (f"{'blocks':>{BLOCKS - 1}}", BLOCKS, ""),
            (f"{'size':>{BYTES - 1}}", BYTES, ""),
            *([("dtype", DTYPE, "")] if dtype else []),
            ("chat", 0, ""),
        ]

    def cells(self, row: int, width: int) -> Sequence[Cell]:
        """A model; where it cannot be opened, why."""
        model = self.shown[row]
        name, kind, dtype = self._columns(width)
        first = (one_line(model.name, name - 1), name, "dim" if model.problem else "")
        if model.problem:
            return [first, (f"✗ {one_line(model.problem, max(1, width - name - 2))}", 0, "bad")]
        return [
            first,
            *([(one_line(model.model_type or "·", KIND - 1), KIND, "")] if kind else []),
            (f"{count(model.parameters):>{PARAMETERS - 1}}", PARAMETERS, ""),
            (f"{model.depth or '·':>{BLOCKS - 1}}", BLOCKS, ""),
            (f"{size(model.bytes):>{BYTES - 1}}", BYTES, ""),
            *([(one_line(model.quantised or model.dtype or "·", DTYPE - 1), DTYPE, "")] if dtype else []),
            ("yes" if model.chat_template else "no", 0, ""),
        ]

    def empty_text(self) -> str:
        """Why there are none."""
        return f"no model has {self.filter!r} in it" if self.models else self.missing

    @staticmethod
    def _columns(width: int) -> tuple[int, bool, bool]:
        """Columns for the name, and whether there is room for the architecture and the dtype."""
        kind, dtype = width >= KIND_FROM, width >= DTYPE_FROM
        rest = PARAMETERS + BLOCKS + BYTES + CHAT + KIND * kind + DTYPE * dtype
        return max(LEAST_NAME, width - rest), kind, dtype

    def on_resize(self) -> None:
        """Columns fit the width; the cursor covers the names."""
        self.highlight = self._columns(self.size.width - 1)[0]
        super().on_resize()

    def _choose(self, name: str | None) -> None:
        self.shown = matching(self.models, self.filter)
        place = next((place for place, model in enumerate(self.shown) if model.name == name), 0)
        self.cursor = place
        self.rows_changed()
