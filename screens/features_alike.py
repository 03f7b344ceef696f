"""Features like one of them: in direction and in what they make the model say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from dct_tui.inert import one_line
from dct_tui.triage.like import ALIKE
from dct_tui.triage.triage import Triage

from .keymap import key_of, with_keys
from .widgets.line_list import Cell, LineList

LOOKED_AT = 400


class AlikeList(LineList):
    """The features that are like it, likest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Take", id="alike.take", tooltip="Go there; in the preview: reject those with ▪"),
        Binding("space", "screen.take", "In or out", id="alike.toggle", tooltip="Take this one in, or leave it out"),
    ]

    def __init__(
        self, triage: Triage, found: Sequence[tuple[int, float | None, float | None]], taken: set[int]
    ) -> None:
        super().__init__()
        self.triage, self.found, self.taken = triage, found, taken

    def row_count(self) -> int:
        """How many there are."""
        return len(self.found)

    def what(self, row: int) -> int:
        """The feature."""
        return self.found[row][0]

    def cells(self, row: int, width: int) -> Sequence[Cell]:
        """In or out, mark, index, cosine, likeness of texts, a line."""
        index, cosine, likeness = self.found[row]
        feature = self.triage.rows[index]
        return [
            ("▪" if index in self.taken else " ", 2, "accent"),
            (feature.mark, 2, ""),
            (f"{index:>4}", 6, ""),
            ("" if cosine is None else f"{cosine:.2f}", 8, ""),
            ("" if likeness is None else f"{likeness:.0%}", 8, ""),
            (one_line(feature.evidence.line[:LOOKED_AT] or " ".join(feature.words), width), 0, ""),
        ]

    def header(self, width: int) -> Sequence[Cell]:
        """Names of the columns."""
        return [("", 4, ""), (" no.", 6, ""), ("cosine", 8, ""), ("texts", 8, ""), ("sample", 0, "")]

    def empty_text(self) -> str:
        """None is like it."""
        return "None says the like."

    def on_mount(self) -> None:
        """As high as it needs to be."""
        self.styles.height = max(2, min(20, len(self.found) + 1))


class AlikeScreen(ModalScreen[list[int] | None]):
    """Neighbours of a feature: by the cosine of their input directions, and by what they make the model say.

    Texts are alike by the share of words and signs that the unsteered texts lack and both have; from half on they count
    as the same behaviour. A feature that changes nothing is like none.
    """

    DEFAULT_CSS = """
    AlikeScreen {
        align: center middle;
        & > Vertical {
            width: 100;
            max-width: 96%;
            height: auto;
            max-height: 90%;
            border: round $primary;
            background: $surface;
            padding: 0 1;
        }
        .alike--title { text-style: bold; height: auto; }
        .alike--keys { color: $text-muted; height: auto; }
        AlikeList { background: $surface; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "leave", "Leave", id="alike.leave", tooltip="Leave all as it is"),
        Binding("question_mark", "app.help", "Help", id="alike.help", tooltip="What the keys do here"),
    ]

    def __init__(self, triage: Triage, feature: int, *, reject: bool) -> None:
        super().__init__()
        self.triage, self.feature, self.reject = triage, feature, reject
        alike = dict(triage.alike(feature))
        if reject:
            found: list[tuple[int, float | None, float | None]] = [(feature, None, None)]
            found += [(index, None, share) for index, share in alike.items()]
        else:
            near = dict(triage.near(feature))
            every = {*near, *alike}
            found = [(index, near.get(index), alike.get(index)) for index in every]
            found.sort(key=lambda one: (-(one[2] or 0), -(one[1] or 0), one[0]))
        # What is starred already is not swept away unasked.
        taken = {one[0] for one in found if triage.rows[one[0]].marks.verdict != "starred"} if reject else set()
        self.shown = AlikeList(triage, found, taken)

    def compose(self) -> ComposeResult:
        """Title, list, keys."""
        with Vertical():
            if self.reject:
                yield Static(f"Reject feature {self.feature} and all like it?", classes="alike--title")
                yield self.shown
                yield Static(
                    f"like: {ALIKE:.0%} of their own words in common · {key_of('alike.toggle')} in or out   "
                    f"{key_of('alike.take')} rejects those with ▪   {key_of('alike.leave')} leaves",
                    classes="alike--keys",
                )
            else:
                yield Static(f"Features like {self.feature}", classes="alike--title")
                yield self.shown
                yield Static(with_keys("{alike.take} goes there   {alike.leave} leaves"), classes="alike--keys")

    def on_mount(self) -> None:
        """The list has the keys."""
        self.shown.focus()

    def action_take(self) -> None:
        """Takes the one under the cursor in, or leaves it out."""
        if self.reject and self.shown.found:
            self.shown.taken ^= {self.shown.found[self.shown.cursor][0]}
            self.shown.row_changed(self.shown.cursor)
            self.shown.go_to(self.shown.cursor + 1)

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """Ends it with what was chosen."""
        event.stop()
        self.dismiss(sorted(self.shown.taken) if self.reject else [event.what])

    def action_leave(self) -> None:
        """Ends it without a choice."""
        self.dismiss(None)
