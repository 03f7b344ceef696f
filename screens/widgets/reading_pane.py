"""The reading pane: one feature's samples, in full."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from .scrolled_lines import ScrolledLines


class ReadingPane(ScrolledLines):
    """What a feature makes the model say, prompt by prompt, each beside the unsteered text (│)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("J", "screen.step(1)", "Next", id="reading.next", tooltip="The next feature of the list"),
        Binding("K", "screen.step(-1)", "Previous", id="reading.previous", tooltip="The feature before"),
        Binding("q,escape,enter", "screen.stop_reading", "Back", id="reading.back", tooltip="Back to the list"),
    ]
