"""The keys that find features: filter, order, likeness, comparison."""

from __future__ import annotations

from dataclasses import replace

from textual.timer import Timer

from dct_tui.engine.messages import Contrast
from dct_tui.errors import DctError
from dct_tui.triage.filter_text import filter_text, parse_filter
from dct_tui.triage.filters import Filter
from dct_tui.triage.orders import ORDERS, Order, OrderName

from .dialogs import ChooseOne, EnterText
from .features_alike import AlikeScreen
from .features_compare import CompareScreen
from .features_marking import UNJUDGED, MarkingScreen
from .keymap import key_of, with_keys
from .widgets.filter_line import FilterLine

TYPED_S = 0.25


class FindingScreen(MarkingScreen):
    """Which features are in the list, in which order, and which are like one of them."""

    _kept = Filter()
    """The filter before one was begun to be written."""
    _last_filter = Filter()
    _typed: Timer | None = None

    # Filter

    @property
    def filter_line(self) -> FilterLine:
        """The line in which a filter is written."""
        return self.query_one(FilterLine)

    def action_filter(self) -> None:
        """Begins to write a filter."""
        self._kept = self.triage.filter
        self.filter_line.begin()
        self.say(with_keys("enter keeps the filter, {filter.leave} leaves it"))

    def on_input_changed(self, event: FilterLine.Changed) -> None:
        """Tries what is written so far, when the typing rests."""
        event.stop()
        if self._typed is not None:
            self._typed.stop()
        self._typed = self.set_timer(TYPED_S, self._try_filter)

    def _try_filter(self) -> None:
        try:
            wanted = parse_filter(self.filter_line.value)
            if self.filter_line.has_focus and wanted != self.triage.filter:
                self.keep(wanted)
        except DctError:
            # Not written to its end yet; enter says what is wrong with it.
            return

    def on_input_submitted(self, event: FilterLine.Submitted) -> None:
        """Takes the filter; a wrong one stays to be mended."""
        event.stop()
        wanted = parse_filter(event.value)
        if wanted != self.triage.filter:
            self.keep(wanted)
        self._last_filter = wanted or self._last_filter
        self._end_filter()

    def on_filter_line_left(self, event: FilterLine.Left) -> None:
        """Shows what was shown before."""
        event.stop()
        if self.triage.filter != self._kept:
            self.keep(self._kept)
        self._end_filter()

    def keep(self, wanted: Filter) -> None:
        """Shows what passes a filter."""
        here = self.listed.here
        self.triage.keep(wanted)
        self.unrange()
        # What is looked for begins at its first; who shows all again stays with the feature.
        self.show_list(next(iter(self.triage.shown), None) if wanted else here)

    def unrange(self) -> None:
        """Rows stand elsewhere: a range that was begun ends."""
        self._anchor = None

    def _end_filter(self) -> None:
        if self._typed is not None:
            self._typed.stop()
        self.show_filter()
        self.listed.focus()

    def show_filter(self) -> None:
        """Writes the filter that holds into its line."""
        self.filter_line.put(filter_text(self.triage.filter))

    # Steps

    def action_unjudged(self, step: int) -> None:
        """To the next feature that is not judged."""
        self._step_to(step, UNJUDGED, "every feature here is judged")

    def action_match(self, step: int) -> None:
        """To the next feature that passes the last filter, shown or not."""
        if not self._last_filter:
            raise DctError("there is no filter yet", "write one with /")
        self._step_to(step, self._last_filter, "no feature here passes the last filter")

    def action_step(self, step: int) -> None:
        """To the next row, while reading."""
        self.listed.go_to(self.listed.cursor + step)

    def _step_to(self, step: int, wanted: Filter, none: str) -> None:
        place = self.triage.next_where(self.listed.cursor, step, wanted)
        if place is None:
            self.say(none)
        else:
            self.listed.go_to(place)

    def go_to_feature(self, feature: int) -> None:
        """Puts the cursor on a feature; the filter gives way if it hides it."""
        if self.listed.place_of(feature) is None:
            self.triage.keep(Filter())
            self.unrange()
            self.show_filter()
            self.show_list(feature)
        else:
            self.listed.go_to(self.listed.place_of(feature) or 0)

    # Order

    def action_order(self) -> None:
        """Asks for an order."""
        self.attempt(self._order())

    async def _order(self) -> None:
        names = list(ORDERS)
        chosen = await self.app.push_screen_wait(
            ChooseOne("Sort by", [f"{name:9} {ORDERS[name]}" for name in names], names.index(self.triage.order.name))
        )
        if chosen is None:
            return
        name: OrderName = names[chosen]
        if name == "contrast":
            await self._contrast()
        else:
            self.sort(Order(name))

    async def _contrast(self) -> None:
        text = await self.app.push_screen_wait(
            EnterText(
                "Two words",
                detail="A comma between them, such as Sure,Sorry. Features that push the model to the first come "
                "first. A space before a word counts.",
                check=_two_words,
            )
        )
        if text is None:
            return
        towards, away = _two_words(text)
        session = self.triage.session
        self.say(f"{towards} against {away}: the engine is asked")
        engine = await self.workbench.link.engine(session.record.model.spec)
        answer = await engine.ask(Contrast(session=str(session.path), towards=towards, away=away))
        self.triage.set_contrast(answer["scores"])
        self.sort(Order("contrast"))

    def action_reverse(self) -> None:
        """Turns the order round."""
        self.sort(replace(self.triage.order, reverse=not self.triage.order.reverse))

    def action_arrange(self) -> None:
        """Filters and sorts again, as marks and samples are now."""
        self.sort(self.triage.order)

    def sort(self, order: Order) -> None:
        """Shows the list in an order."""
        here = self.listed.here
        self.triage.sort(order)
        self.unrange()
        self.set_settings(replace(self.settings, order=order.name, reverse=order.reverse))
        self.show_list(here)

    # Likeness

    def action_alike(self) -> None:
        """Shows the neighbours of this one."""
        self.attempt(self._alike(reject=False))

    def action_reject_alike(self) -> None:
        """Shows those like this one, to be rejected with it."""
        self.attempt(self._alike(reject=True))

    async def _alike(self, *, reject: bool) -> None:
        screen = AlikeScreen(self.triage, self.row.index, reject=reject)
        chosen = await self.app.push_screen_wait(screen)
        if chosen and reject:
            self._last = [("reject", "")]
            self.mark(self._last, chosen)
            self.say(f"✗ on {len(chosen)} features; {key_of('features.undo')} takes it back")
        elif chosen:
            self.go_to_feature(chosen[0])

    def action_compare(self) -> None:
        """Shows two or three selected features side by side."""
        chosen = self.targets()
        if not 2 <= len(chosen) <= 3:
            raise DctError(f"two or three can be compared, and {len(chosen)} selected", "select them with space")
        self.app.push_screen(CompareScreen(self, chosen))

    def action_average(self) -> None:
        """Adds the mean of the selected features as a new one."""
        chosen = self.targets()
        if len(chosen) < 2:
            raise DctError("an average needs two features or more", "select them with space")
        made = self.triage.average(chosen)
        self.pulse()
        self.unselect()
        self.go_to_feature(made)
        self.call_after_refresh(self.say, f"feature {made} is the mean of {', '.join(map(str, sorted(chosen)[:6]))}")


def _two_words(text: str) -> tuple[str, str]:
    # Not stripped: in many tokenizers a word after a space is another token.
    words = text.split(",")
    if len(words) != 2 or not all(word.strip() for word in words):
        raise DctError(f"{text[:40]!r} is not two words", "write Sure,Sorry")
    return words[0], words[1]
