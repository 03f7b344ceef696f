"""What the settings of a fit ask of an engine: what the model is like, what a fit takes, R, and the fit itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dct_tui.engine.errors import EngineGone
from dct_tui.engine.messages import CalibrateOn, FitChoice, ForecastOf, Inspect, ModelChoice, Preview, StartFit
from dct_tui.errors import DctError

from .base import BaseScreen
from .dialogs import Confirm
from .keymap import with_keys
from .layers_calibration import CalibrationScreen
from .layers_draft import FACTORS, Draft
from .layers_kept import Keeper
from .layers_words import cost_words, is_costly
from .model_lines import line_of
from .model_words import words_wrapped
from .model_work import WorkDialog, stage_told
from .rest import Rest
from .widgets.changing_lines import Line
from .widgets.token_preview import TokenPreview

if TYPE_CHECKING:
    from .app import Workbench

REST_S = 0.3
PREVIEWED = 8


class LayersAsking(BaseScreen[None]):
    """The part of the screen that waits for answers.

    Attributes:
        draft: what the person has put together so far.
        keeper: keeps it until it is started.
    """

    draft: Draft
    keeper: Keeper

    def __init__(self) -> None:
        super().__init__()
        self._forecast: Mapping[str, Any] | None = None
        self._refused = ""
        self._reckoned: tuple[ModelChoice, FitChoice] | None = None
        self._previewed: object = None
        self._reckoning = Rest(self, "reckon", REST_S)
        self._previewing = Rest(self, "preview", REST_S)

    def changed(self, draft: Draft) -> None:
        """Takes another draft."""
        raise NotImplementedError

    def say(self) -> None:
        """Says what has come."""
        raise NotImplementedError

    async def look_at_model(self) -> None:
        """Asks what the model is like.

        Raises:
            DctError: it is not here.
        """
        engine = await self.workbench.link.engine()
        found = line_of((await engine.ask(Inspect(name=self.draft.model.name)))["model"])
        draft = replace(self.draft, model=found)
        if draft.problem("factors") and draft.values["factors"] == str(FACTORS) and found.width:
            # The default, in a model that is less wide.
            draft = draft.with_value("factors", str(found.width))
        self.changed(draft)
        if found.problem:
            raise DctError(f"{found.name} cannot be opened: {found.problem}", "choose another model")

    # What it takes

    def reckon(self) -> None:
        """Asks, once nothing has changed for a moment, what the fit takes and how its prompts are seen."""
        if not self.draft.problems():
            wish = (self.draft.model_choice(), self.draft.fit_choice())
            if wish != self._reckoned:
                self._reckoned, self._forecast, self._refused = wish, None, ""
                self._reckoning.then(lambda: self._reckon(*wish))
        else:
            self._reckoned = None
            self._forecast, self._refused = None, ""
        prompts = self.draft.prompts
        seen = (self.draft.model_choice(), prompts.fit[:PREVIEWED], prompts.system, self.draft.values["positions"])
        if self.is_wide and seen != self._previewed and not self.draft.problem("positions"):
            self._previewed = seen
            self._previewing.then(self._preview)

    def cost_lines(self, width: int) -> list[Line]:
        """What the fit takes, or what stands in its way, in lines."""
        problems = self.draft.problems()
        if problems:
            name, problem = next(iter(problems.items()))
            text, style = f"✗ {name}: {problem}", "bad"
        elif self._refused:
            text, style = f"✗ {self._refused}", "bad"
        elif self._forecast is None:
            text, style = "reckoning what it takes…", "dim"
        else:
            fits = bool(self._forecast.get("fits", True))
            text, style = cost_words(self._forecast), "" if fits else "bad"
        return [[(piece, style)] for piece in words_wrapped(text, width)]

    async def _reckon(self, model: ModelChoice, fit: FitChoice) -> None:
        try:
            engine = await self.workbench.link.engine()
            self._forecast = await engine.ask(ForecastOf(model=model, fit=fit))
        except EngineGone:
            self._reckoned = None
            raise
        except DctError as error:
            self._refused = str(error)
        self.say()

    async def _preview(self) -> None:
        draft, preview = self.draft, self.query_one(TokenPreview)
        if not draft.prompts.fit:
            preview.say(with_keys("{layers.prompts} writes prompts; they are shown here as the model will see them"))
            return
        try:
            engine = await self.workbench.link.engine()
            answer = await engine.ask(
                Preview(
                    model=draft.model_choice(),
                    prompts=draft.prompts.fit[:PREVIEWED],
                    system=draft.prompts.system,
                    target_positions=int(draft.values["positions"]),
                )
            )
        except DctError as error:
            preview.say(f"✗ {error}", "bad")
        else:
            preview.show_prompts(answer.get("prompts", ()), template=bool(answer.get("template")))

    # R, and the fit

    async def calibrate(self) -> None:
        """Finds R, shows how, and takes it if the person wants it.

        Raises:
            DctError: something is wrong with the settings, or R cannot be found.
        """
        draft = self.draft
        model, fit = draft.model_choice(), replace(draft.fit_choice(), scale=None)
        engine = await self.workbench.link.engine(model.name)
        dialog = WorkDialog(f"finding R on {model.name}", engine.begin(CalibrateOn(model=model, fit=fit)), stage_told)
        found = await self.app.push_screen_wait(dialog)
        if dialog.error is not None:
            raise dialog.error
        if found is not None and await self.app.push_screen_wait(CalibrationScreen(found)):
            self.changed(self.draft.with_value("scale", repr(float(found["scale"]))))

    async def start(self) -> None:
        """Starts the fit and goes to its screen; asks first where it is costly.

        Raises:
            DctError: something is wrong with the settings, or the fit cannot be begun.
        """
        if self.draft.model.width is None:
            # Whoever is quick would fit by defaults that this model may be too small for.
            await self.look_at_model()
        model, fit, session = self.draft.model_choice(), self.draft.fit_choice(), self.draft.session()
        forecast = self._forecast if self._reckoned == (model, fit) else None
        if forecast is not None and is_costly(forecast):
            question = "Start it all the same?" if not forecast.get("fits", True) else "It will take a while. Start it?"
            if not await self.app.push_screen_wait(Confirm(question, cost_words(forecast))):
                return
        engine = await self.workbench.link.engine(model.name)
        expected = (forecast or {}).get("seconds")
        job = engine.begin(StartFit(model=model, fit=fit, session=session, expected=expected))
        dialog = WorkDialog(f"starting a fit of {model.name}", job, stage_told, enough=lambda event: "session" in event)
        begun = await self.app.push_screen_wait(dialog)
        if dialog.error is not None:
            raise dialog.error
        if begun is not None:
            self.keeper.forget()
            # Not as work of this screen, which goes.
            app = self.workbench
            app.run_worker(app.attempt(lambda: _go_to(app, Path(str(begun["session"])))))


async def _go_to(app: Workbench, path: Path) -> None:
    """To the fit; the screens on which it was put together are left."""
    await app.switch_mode("home")
    while len(app.screen_stack) > 1:
        await app.pop_screen()
    await app.open_session(path, "fit")
