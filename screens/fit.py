"""The fit of the open session, live: whoever is fitting it, and whether or not it was watched before."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from dct_tui.errors import DctError
from dct_tui.inert import one_line

from .base import BaseScreen
from .dialogs import Confirm
from .fit_control import control, job_of, resume, stop
from .fit_settings import FitSettingsScreen
from .fit_watch import FitView, FitWatch
from .fit_words import lines_of, log_lines
from .keymap import with_keys
from .widgets.changing_lines import ChangingLines
from .widgets.fit_log import FitLog
from .widgets.line_plot import LinePlot

if TYPE_CHECKING:
    from dct_tui.sessions import Session

    from .app import Workbench

HERE = socket.gethostname()
STANDING = 5
"""Lines of it, unless something is warned of."""
UNMADE = "It has not begun, so its session goes too."
KEPT = "What is finished is kept: {fit.resume} goes on from the last finished iteration."


class FitScreen(BaseScreen[None]):
    """How the fit stands, its curves and its log, all read from the session folder: whoever is fitting, here or in
    another terminal. Leave whenever you like.

    objective is how well the features explain what the slice does, in the fit's own units: it should rise and then
    flatten; its size says nothing. change of V is how far the directions turned in an iteration (1 − cosine): it should
    fall. settled is the share of features that turned by less than .001. Features are useful long before all have
    settled; a fit that ends with few is worth more iterations (at home: d).

    rows/s is how many steered copies of the prompts the model runs a second. Times are without pauses.
    """

    PLACE: ClassVar[str] = "fit"
    CSS_PATH = "fit.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "resume", "Fit", id="fit.resume", tooltip="Start the fit, or go on from its last iteration"),
        Binding("p", "pause", "Pause or go on", id="fit.pause", tooltip="Hold the fit up, or let it go on"),
        Binding("s", "stop", "Stop", id="fit.stop", tooltip="Stop at the last finished iteration, to go on later"),
        Binding("f", "finish", "Finish now", id="fit.finish", tooltip="No further iterations: take it as it is"),
        Binding("i", "settings", "Settings", id="fit.settings", tooltip="The settings and prompts of this fit"),
    ]

    view: FitView | None = None

    def body(self) -> ComposeResult:
        """How it stands, three curves, and the log."""
        yield ChangingLines(id="standing")
        with Horizontal(id="curves"):
            yield LinePlot("objective", id="objective").with_tooltip(
                "How well the features explain the slice: it should rise and flatten; its size says nothing"
            )
            yield LinePlot("change of V", logarithmic=True, id="change").with_tooltip(
                "How far the directions turned in the iteration, 1 − cosine: it should fall"
            )
            yield LinePlot("settled", bounds=(0.0, 1.0), percent=True, id="settled").with_tooltip(
                "The share of features that turned by less than .001 in the iteration"
            )
        yield FitLog()

    def on_mount(self) -> None:
        """Looks at once."""
        super().on_mount()
        self.watch_ = FitWatch(self.workbench.opened().session)
        self.query_one(FitLog).focus()
        self.pulse()

    def pulse(self) -> None:
        """Reads what is new in the folder, and repaints what it changes."""
        workspace = self.workbench.opened()
        job = job_of(self.workbench.link, workspace.session)
        paused = job is not None and job.state == "paused"
        view = self.watch_.look(paused=paused, waiting=job is not None)
        before, self.view = self.view, view
        standing, lines = self.query_one("#standing", ChangingLines), lines_of(view, HERE, self._engine_words())
        standing.set_class(len(lines) > STANDING, "-warned")
        standing.show(lines)
        for name in ("objective", "change", "settled"):
            points = [(entry.iteration, value) for entry in view.entries if (value := getattr(entry, name)) is not None]
            self.query_one(f"#{name}", LinePlot).draw(points, view.of)
        self.query_one(FitLog).show(log_lines(self.watch_.happened, view))
        if before is None or (before.state, before.complete) != (view.state, view.complete):
            self.refresh_bindings()

    def _engine_words(self) -> str:
        """What keeps the engine from this fit, where it waits for it."""
        state = self.workbench.link.state
        if state is None:
            return ""
        if state.loading:
            return f"the engine is loading {one_line(state.loading, 40)}"
        return f"the engine has other work first: {one_line(self.workbench.link.words(), 40)}" if state.jobs else ""

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys do something now."""
        view = self.view
        if view is None:
            return action not in ("resume", "pause", "stop", "finish", "judge")
        if action == "resume":
            return not view.running and view.state != "waiting" and not view.complete
        if action in ("pause", "finish"):
            return view.state in ("fitting", "paused", "calibrating")
        if action == "stop":
            return view.running or view.state == "waiting"
        if action == "judge":
            return view.complete
        return True

    def action_resume(self) -> None:
        """Goes on with the fit, in an engine."""
        self.attempt(resume(self.workbench.link, self.workbench.opened().session), "resume", alone=True)

    def action_pause(self) -> None:
        """Holds the fit up, or lets it go on."""
        action = "go on" if self.view is not None and self.view.state == "paused" else "pause"
        self.attempt(control(self.workbench.link, self.workbench.opened().session, action))

    def action_stop(self) -> None:
        """Stops the fit, once that is confirmed."""
        self.attempt(self._stop())

    async def _stop(self) -> None:
        view, session = self.view, self.workbench.opened().session
        if view is not None and view.state == "waiting" and session.reload().status == "created":
            if await self.app.push_screen_wait(Confirm("Take this fit out of the queue?", UNMADE)):
                # Not as work of this screen, which goes.
                app = self.workbench
                app.run_worker(app.attempt(lambda: _take_out(app, session)))
            return
        by = f" It runs in {view.holder}." if view is not None and view.holder is not None else ""
        if await self.app.push_screen_wait(Confirm("Stop this fit?", with_keys(KEPT) + by)):
            await stop(self.workbench.link, session)

    def action_finish(self) -> None:
        """Ends the iterations and describes the features, once that is confirmed."""
        self.attempt(self._finish())

    async def _finish(self) -> None:
        if self.view is not None and not self.view.iteration:
            raise DctError("no iteration is finished yet", "wait for the first, or stop the fit")
        detail = "The features are taken as they are after the last finished iteration. It cannot be gone on with."
        if await self.app.push_screen_wait(Confirm("Finish this fit now?", detail)):
            await control(self.workbench.link, self.workbench.opened().session, "finish")

    def action_settings(self) -> None:
        """Shows settings and prompts."""
        self.app.push_screen(FitSettingsScreen(self.workbench.opened().session.record))

    async def action_judge(self) -> None:
        """Goes to the features."""
        if self.view is not None and self.view.complete:
            await self.workbench.action_go("features")


async def _take_out(app: Workbench, session: Session) -> None:
    """Out of the queue; the session is left first, for it goes."""
    await app.close_session()
    await stop(app.link, session)
