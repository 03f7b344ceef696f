"""The features of the open session, judged one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widgets import Static

from dct_tui.errors import DctError
from dct_tui.triage.filters import Filter

from .features_finding import FindingScreen
from .features_settings import change_settings
from .features_text import plain_text, shown_strength, strengths_of
from .keymap import with_keys
from .widgets.changing_lines import ChangingLines
from .widgets.feature_list import FeatureList
from .widgets.filter_line import FilterLine
from .widgets.line_list import LineList
from .widgets.reading_pane import ReadingPane

NEXT_PIECE_S = 0.01
EXAMPLE = "pirate /arr+/ kl>2 changed>50% tag:rude unjudged, ! before one turns it round"


class FeaturesScreen(FindingScreen):
    """Judge what the fit has found, feature by feature.

    A feature is a direction that was found in the model: added to what it computes, it may change what the model
    says. Read what it says under each, star what is worth a closer look, reject the rest. Everything is kept at once,
    and u takes it back.

    Below these keys stands what the columns say, how a filter is written, and which orders there are.
    """

    CSS_PATH = "features.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "judge('star')", "Star", id="features.star", tooltip="Star it ★, or take the star off"),
        Binding("x", "judge('reject')", "Reject", id="features.reject", tooltip="Reject it ✗, or take that back"),
        Binding("slash", "filter", "Filter", id="features.filter", tooltip="Show the features that pass a filter"),
        Binding("o", "order", "Sort", id="features.sort", tooltip="Sort by strength, effect, novelty, a contrast …"),
        Binding("u", "undo", "Undo", id="features.undo", tooltip="Take the last mark back"),
        Binding("t", "tag", "Tag", id="features.tag", tooltip="Tag it; -word takes a tag off"),
        Binding("c", "note", "Note", id="features.note", tooltip="Write a note on it"),
        Binding("a", "to_rack", "To chat", id="features.to_rack", tooltip="Put it on the rack of the chat"),
        Binding("b", "background", "Sampling", id="features.sampling", tooltip="Sample in the background, or stop"),
        Binding("space", "select", "Select", id="features.select", show=False, tooltip="Select it, or not"),
        Binding("v", "range", "Range", id="features.range", show=False, tooltip="Begin or end a range of features"),
        Binding("U", "redo", "Redo", id="features.redo", show=False, tooltip="Bring back what was undone"),
        Binding("full_stop", "repeat", "Repeat", id="features.repeat", show=False, tooltip="Mark as the last time"),
        Binding(
            "right_square_bracket",
            "unjudged(1)",
            "Next unjudged",
            id="features.next_unjudged",
            show=False,
            tooltip="To the next that is not judged",
        ),
        Binding(
            "left_square_bracket",
            "unjudged(-1)",
            "Previous unjudged",
            id="features.previous_unjudged",
            show=False,
            tooltip="To the one before that is not judged",
        ),
        Binding("n", "match(1)", "Next match", id="features.next_match", show=False, tooltip="Next of the last filter"),
        Binding(
            "N", "match(-1)", "Match before", id="features.previous_match", show=False, tooltip="The one before of it"
        ),
        Binding("h,left", "strength(-1)", "Weaker", id="features.weaker", show=False, tooltip="At a lower strength"),
        Binding("l,right", "strength(1)", "Stronger", id="features.stronger", show=False, tooltip="At a higher one"),
        Binding("O", "reverse", "Reverse", id="features.reverse", show=False, tooltip="Turn the order round"),
        Binding("r", "arrange", "Sort anew", id="features.arrange", show=False, tooltip="Filter and sort once more"),
        Binding("i", "alike", "Alike", id="features.alike", show=False, tooltip="The features like this one"),
        Binding(
            "X",
            "reject_alike",
            "Reject alike",
            id="features.reject_alike",
            show=False,
            tooltip="Reject it and all like it, after a look at them",
        ),
        Binding(
            "equals_sign", "compare", "Compare", id="features.compare", show=False, tooltip="Two or three side by side"
        ),
        Binding(
            "A",
            "average",
            "Average",
            id="features.average",
            show=False,
            tooltip="The mean of the selected, as a new one",
        ),
        Binding("y", "copy", "Copy", id="features.copy", show=False, tooltip="Copy it with its samples"),
        Binding("e", "export", "Export", id="features.export", show=False, tooltip="Export the selected, or this one"),
        Binding(
            "S", "settings", "Settings", id="features.settings", show=False, tooltip="Strengths, prompts, going on …"
        ),
        Binding("escape", "escape", "All", id="features.escape", show=False, tooltip="Unselect; then show all"),
    ]

    _more: Timer | None = None
    """Until the next piece is read: one, whoever else looks meanwhile."""

    # The screen

    def body(self) -> ComposeResult:
        """List and pane; a line of counts, and one for the filter, which stays: showing it lays nothing out."""
        self.listed, self.pane = FeatureList(), ReadingPane()
        with Horizontal(id="panes"):
            yield self.listed
            yield self.pane
        yield ChangingLines(id="counts")
        with Horizontal(id="filter-line"):
            yield Static(" / ", id="filter-mark")
            yield FilterLine(placeholder=EXAMPLE, id="filter", stays=True)

    def on_mount(self) -> None:
        """Reads the features; their samples come after the first picture."""
        super().on_mount()
        self.open_triage()
        self.listed.triage = self.triage
        self.listed.selected = self.workbench.opened().selected
        self.listed.focus()
        self.pulse()
        if self.settings.feature is not None:
            self.show_list(self.settings.feature)

    def on_unmount(self) -> None:
        """Keeps where one was; others may mark."""
        if hasattr(self, "triage"):
            here = self.listed.here
            self.set_settings(replace(self.settings, feature=here if here is not None else self.settings.feature))
            self.triage.close()

    def on_screen_resume(self) -> None:
        """The other places may have selected others."""
        super().on_screen_resume()
        if hasattr(self, "triage"):
            self.select(self.workbench.opened().selected)

    def pulse(self) -> None:
        """Takes in what is new in the folder, and repaints it."""
        here = self.listed.here
        news = self.triage.look()
        if not self.triage.marks.writes and self.triage.marks.writer is None:
            # Whoever wrote the marks has gone.
            self.triage.marks.take_pen()
        if news.listed or (not self.triage.rows and self.listed.missing != self._nothing_words()):
            self.sampler.renew()
            self.show_list(here)
        elif news.rows:
            self.listed.features_changed(news.rows)
            if here in news.rows:
                self.show_pane(top=False)
        if self.sampler.wake():
            self.sample()
        self.show_counts()
        if self._more is not None:
            self._more.stop()
        # Between the pieces there is time for keys, which a message to itself would not leave.
        self._more = self.set_timer(NEXT_PIECE_S, self.pulse) if news.more else None

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        """All else waits until the keys rest."""
        event.stop()
        self.extend_range()
        # The move may be told after a later key has done something where the cursor is now.
        self.moved(said_here=self.listed.cursor == self._said_at)

    # Reading

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """Enter reads: it goes over to the pane, which takes the list's place where there is room for one only."""
        event.stop()
        if not self.is_wide:
            self.add_class("-reading")
        self.call_after_refresh(self._read)

    def _read(self) -> None:
        self.pane.focus()
        self.show_pane()

    def action_stop_reading(self) -> None:
        """Back to the list."""
        self.remove_class("-reading")
        self.listed.focus()

    def action_strength(self, step: int) -> None:
        """Shows the samples at the next strength."""
        if self.listed.here is None:
            return
        if self.listed.here != self._strength_of:
            self.strength = None
        strengths, now = strengths_of(self.row), shown_strength(self.row, self.strength)
        if now is not None:
            self._strength_of = self.listed.here
            self.strength = strengths[max(0, min(strengths.index(now) + step, len(strengths) - 1))]
            self.show_pane(top=False)

    def on_resize(self) -> None:
        """A pane that came into sight is filled."""
        self.call_after_refresh(self.show_pane)

    # The rest of the keys

    def action_escape(self) -> None:
        """Unselects; else shows all features."""
        if self.unselect():
            return
        if self.triage.filter:
            self.keep(Filter())
            self.show_filter()

    def action_to_rack(self) -> None:
        """Puts features on the rack."""
        workspace = self.workbench.opened()
        workspace.add_to_rack(*self.targets())
        self.say(f"{len(workspace.rack)} on the rack: 4 chats with them")

    async def action_export(self) -> None:
        """Goes to the export with what is selected."""
        self.select(self.targets())
        await self.workbench.action_go("export")

    async def action_copy(self) -> None:
        """Copies features and their samples."""
        from .clipboard import copy

        rows = [self.triage.rows[index] for index in self.targets()]
        text = "\n\n".join(
            plain_text(row, self.triage.samples, shown_strength(row, self.strength if len(rows) == 1 else None))
            for row in rows
        )
        self.notify(await copy(self.app, text), timeout=4, markup=False)

    def action_background(self) -> None:
        """Samples in the background, or stops."""
        if not self.triage.rows:
            raise DctError("there are no features to sample yet", "2 shows the fit")
        if self.sampler.on:
            self.attempt(self.sampler.switch_off())
            self.say(with_keys("sampling stopped; {features.sampling} goes on with it"))
        else:
            self.sampler.switch_on()
            self.sample()
            self.say(with_keys("sampling in the background; {features.sampling} stops it"))

    def action_settings(self) -> None:
        """Strengths, prompts and whether a mark goes on."""
        self.attempt(self._settings())

    async def _settings(self) -> None:
        default = self.workbench.config.auto_advance
        own = self.triage.session.record.prompts
        changed = await change_settings(self.app, self.settings, len(own.validation or own.fit), default)
        if changed != self.settings:
            self.set_settings(changed)
            self.sampler.renew()
            self.sample()
