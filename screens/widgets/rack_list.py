"""The rack: features that are added or ablated while the model replies, each switched and tuned by a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message

from dct_tui.inert import one_line
from dct_tui.sessions.rack import RackEntry, RackMode

from ..keymap import with_keys
from .line_list import Cell, LineList

MODES: tuple[RackMode, ...] = ("steer", "ablate output", "ablate input")
SHORT_MODES = {"ablate output": "ablate out", "ablate input": "ablate in"}
STEP, BIG_STEP = 0.1, 0.5
WIDEST = 14


class RackList(LineList):
    """One row an entry. What is changed here holds from the next reply on.

    Attributes:
        entries: what is on the rack.
        bypassed: whether all of it is out of force.
        words: what is known of a feature, in a few words.
    """

    DEFAULT_CSS = """
    RackList { background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "switch", "On/off", id="rack.toggle", tooltip="Switch the entry on or off"),
        Binding("plus,equals_sign", f"tune({STEP})", "Stronger", id="rack.up", tooltip="Strength up by 0.1 R"),
        Binding("minus", f"tune({-STEP})", "Weaker", id="rack.down", tooltip="Strength down by 0.1 R"),
        Binding(
            "greater_than_sign",
            f"tune({BIG_STEP})",
            "Much stronger",
            id="rack.far_up",
            show=False,
            tooltip="Strength up by 0.5 R",
        ),
        Binding(
            "less_than_sign",
            f"tune({-BIG_STEP})",
            "Much weaker",
            id="rack.far_down",
            show=False,
            tooltip="Strength down by 0.5 R",
        ),
        Binding("0", "zero", "Zero", id="rack.zero", show=False, tooltip="Strength 0"),
        Binding("m", "sign", "Sign", id="rack.sign", tooltip="Turn the sign of the strength"),
        Binding("a", "mode", "Steer/ablate", id="rack.mode", tooltip="Steer, ablate the output or the input direction"),
        Binding("b", "bypass", "Bypass all", id="rack.bypass", tooltip="The whole rack out of force, and back"),
        Binding("n", "add", "Add", id="rack.add", tooltip="Add features by number, or those starred or selected"),
        Binding("d,delete", "remove", "Remove", id="rack.remove", tooltip="Take the entry off the rack"),
        Binding("enter", "choose", "Edit", id="rack.edit", tooltip="Write the entry, such as 12:+1.3 or mean(3,4):u"),
    ]

    @dataclass
    class Changed(Message):
        """Something on the rack is otherwise now."""

        rack: RackList

    @dataclass
    class AddAsked(Message):
        """Features are to be added."""

    @dataclass
    class Refused(Message):
        """A key means nothing here; why."""

        why: str

    def __init__(self, words: Callable[[int], str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.words = words
        self.entries: tuple[RackEntry, ...] = ()
        self.bypassed = False

    def show(self, entries: Sequence[RackEntry]) -> None:
        """Shows these entries."""
        self.entries = tuple(entries)
        self.rows_changed()

    def changed(self) -> None:
        """Says that something is otherwise now."""
        self.post_message(self.Changed(self))

    @property
    def in_force(self) -> tuple[RackEntry, ...]:
        """What the next reply is under."""
        return () if self.bypassed else tuple(entry for entry in self.entries if entry.on)

    # What is painted

    def row_count(self) -> int:
        """How many entries."""
        return len(self.entries)

    def what(self, row: int) -> RackEntry:
        """The entry."""
        return self.entries[row]

    def header(self, width: int) -> Sequence[Cell]:
        """How many are on."""
        on = sum(entry.on for entry in self.entries)
        state = f"bypassed ({on} on): b ends that" if self.bypassed else f"{on} of {len(self.entries)} on"
        return [(f"rack  {state}", 0, "")]

    def empty_text(self) -> str:
        """How to begin."""
        return with_keys("empty: {rack.add} adds a feature")

    def cells(self, row: int, width: int) -> Sequence[Cell]:
        """On or off, which, what is done with it, what is known of it."""
        entry = self.entries[row]
        style = "" if entry.on and not self.bypassed else "dim"
        which, how = one_line(entry.which, WIDEST), _how(entry)
        words = ", ".join(self.words(feature) for feature in entry.features)
        return [
            ("●" if entry.on else "○", 2, style),
            (which, self._columns(lambda entry: entry.which), style),
            (how, self._columns(_how), style),
            (one_line(words, width), 0, "dim"),
        ]

    def _columns(self, text: Callable[[RackEntry], str]) -> int:
        """Enough for all rows, so that they stand one under the other."""
        return min(WIDEST, max(4, *map(len, map(text, self.entries)))) + 1

    # Keys

    def action_switch(self) -> None:
        """On or off."""
        self._change(lambda entry: replace(entry, on=not entry.on))

    def action_tune(self, by: float) -> None:
        """Changes the strength, by steps that add up exactly."""
        self._tune(lambda strength: round(strength + by, 6))

    def action_zero(self) -> None:
        """Strength 0."""
        self._tune(lambda strength: 0.0)

    def action_sign(self) -> None:
        """Turns the sign."""
        self._tune(lambda strength: -strength + 0.0)

    def action_mode(self) -> None:
        """Steer, ablate output, ablate input, and round again."""
        self._change(lambda entry: replace(entry, mode=MODES[(MODES.index(entry.mode) + 1) % len(MODES)]))

    def action_bypass(self) -> None:
        """The whole rack out of force, or back."""
        self.bypassed = not self.bypassed
        self.refresh()
        self.changed()

    def action_add(self) -> None:
        """Asks what to add."""
        self.post_message(self.AddAsked())

    def action_remove(self) -> None:
        """Takes the entry off."""
        if self.entries:
            self.show(self.entries[: self.cursor] + self.entries[self.cursor + 1 :])
            self.changed()

    def put(self, row: int, entry: RackEntry) -> None:
        """Puts an entry in place of the one in a row."""
        self.entries = (*self.entries[:row], entry, *self.entries[row + 1 :])
        self.row_changed(row)
        self.refresh(Region(0, 0, self.size.width, 1))
        self.changed()

    def _tune(self, change: Callable[[float], float]) -> None:
        if self.entries and self.entries[self.cursor].mode != "steer":
            self.post_message(self.Refused(with_keys("an ablation has no strength: {rack.mode} makes it steer")))
            return
        self._change(lambda entry: replace(entry, strength=change(entry.strength)))

    def _change(self, change: Callable[[RackEntry], RackEntry]) -> None:
        if self.entries:
            self.put(self.cursor, change(self.entries[self.cursor]))
        else:
            self.post_message(self.Refused(with_keys("the rack is empty: {rack.add} adds a feature")))


def _how(entry: RackEntry) -> str:
    return SHORT_MODES.get(entry.mode) or f"{entry.strength:+g}"
