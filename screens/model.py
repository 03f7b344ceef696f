"""Choosing a model: what is on this machine, what opening it would take, and fetching what is not here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from dct_tui.engine.errors import EngineGone
from dct_tui.engine.messages import Download, ForecastOf, Inspect, Load, ModelChoice, Models
from dct_tui.errors import DctError
from dct_tui.models.names import BUILTIN, is_hub_id

from .base import BaseScreen
from .dialogs import Confirm
from .keymap import with_keys
from .model_lines import ModelLine, in_order, line_of
from .model_typed import TypeModel
from .model_words import model_lines
from .model_work import WorkDialog, bytes_told, stage_told
from .rest import Rest
from .widgets.changing_lines import ChangingLines
from .widgets.filter_line import FILTER_WORDS, FilterLine
from .widgets.line_list import LineList
from .widgets.model_list import ModelList

if TYPE_CHECKING:
    from dct_tui.engine.client import Engine

REST_S = 0.15
"""How long the cursor rests before a forecast is asked for, so that holding a key asks for none."""


class ModelScreen(BaseScreen[None]):
    """Choose the model to look into: the built-in one, those of your Hugging Face cache, the folders of your sessions,
    or any that you type. Nothing is loaded to list them; what opening one takes is reckoned from its files.

    Enter goes on to its layers and prompts. A model that is not here is fetched if you wish, and can be stopped and
    gone on with.
    """

    PLACE: ClassVar[str] = "home"
    CSS_PATH = "model.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "type", "Type one", id="model.type", tooltip="Type a folder or a hub id; tab completes"),
        Binding("slash", "filter", "Filter", id="model.filter", tooltip="Show those with these words; !word: without"),
        Binding("l", "load", "Load", id="model.load", tooltip="Open it now, to have it ready; x stops it"),
        Binding("f5", "gather", "Refresh", id="model.refresh", show=False, tooltip="Look for models again"),
        Binding("escape", "unfilter", "All", id="model.unfilter", show=False, tooltip="Show all models again"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._forecasts: dict[str, Mapping[str, Any] | str] = {}
        self._typed: list[ModelLine] = []
        self._wanted = ""
        self._rest = Rest(self, "forecast", REST_S)
        self._look = Rest(self, "look", REST_S)

    def body(self) -> ComposeResult:
        """The list, what is known of the one under the cursor, and a line to filter by."""
        with Container(id="model-panes"):
            yield ModelList(id="model-list")
            yield ChangingLines(id="model-about")
        yield FilterLine(placeholder=with_keys(FILTER_WORDS), id="model-filter")

    def on_mount(self) -> None:
        """Begins with the model that is always there."""
        super().on_mount()
        self.models.show([ModelLine(BUILTIN, model_type="qwen3", chat_template=True)])
        self.models.focus()
        self.action_gather()

    @property
    def models(self) -> ModelList:
        """The list."""
        return self.query_one(ModelList)

    def here(self) -> ModelLine:
        """The model under the cursor. Raises DctError where there is none, or it cannot be opened."""
        model = self.models.at
        if model is None:
            raise DctError("there is no model here", with_keys("press {model.type} to type one"))
        return _sound(model)

    # What the keys do

    def action_gather(self) -> None:
        """Looks for models."""
        self._forecasts.clear()
        self.attempt(self._gather(), "gather", alone=True)

    def action_type(self) -> None:
        """Asks for a name."""
        self.attempt(self._type())

    def action_load(self) -> None:
        """Opens the model, without going on."""
        self.attempt(self._load(self.here()))

    def action_filter(self) -> None:
        """Asks for words."""
        self.query_one(FilterLine).begin()

    def action_unfilter(self) -> None:
        """Shows all again."""
        self.query_one(FilterLine).put("")
        self._narrowed("")

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """Goes on to its layers and prompts."""
        self._go_on(_sound(event.what))

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        """Another model is under the cursor: it is told of once the cursor rests."""
        self._look.then(self._look_at)

    def on_input_changed(self, event: FilterLine.Changed) -> None:
        """Narrows the list with every key."""
        self.models.narrow(event.value)
        self._about()

    def on_input_submitted(self, event: FilterLine.Submitted) -> None:
        """Back to the list, narrowed."""
        self.query_one(FilterLine).put(event.value)
        self._narrowed(event.value)

    def on_filter_line_left(self, event: FilterLine.Left) -> None:
        """Back to the list as it was before."""
        self._narrowed(event.line.value)

    def _narrowed(self, text: str) -> None:
        self.models.narrow(text)
        self.models.focus()
        self._about()

    def on_resize(self) -> None:
        """Wraps what is said anew."""
        self.call_after_refresh(self._about)

    # What takes its time

    async def _gather(self) -> None:
        engine = await self.workbench.link.engine()
        answer = await engine.ask(Models())
        lines = [line_of(summary) for summary in answer.get("models", ())]
        known = {line.name for line in lines}
        self._show(lines)
        for name in _of_sessions() - known:
            try:
                found = line_of((await engine.ask(Inspect(name=name)))["model"])
            except EngineGone:
                raise
            except DctError as error:
                found = ModelLine(name, problem=f"{error.message}, as a session knew it")
            lines.append(found)
        self._show(lines)

    async def _type(self) -> None:
        names = [model.name for model in self.models.models]
        typed = await self.app.push_screen_wait(TypeModel(names, self._wanted))
        if typed is None:
            return
        # Until it is found, so that a slip can be mended.
        name = self._wanted = typed.strip()
        engine = await self.workbench.link.engine()
        try:
            summary = (await engine.ask(Inspect(name=name)))["model"]
        except EngineGone:
            raise
        except DctError:
            if not is_hub_id(name):
                raise
            summary = await self._fetch(engine, name)
        if summary is not None:
            model = line_of(summary)
            self._wanted = ""
            self._typed.append(model)
            self._show([*self.models.models, model], model.name)
            self._go_on(self.here())

    async def _fetch(self, engine: Engine, name: str) -> Mapping[str, Any] | None:
        """Asks, then fetches a model of the hub; None where it was left or stopped."""
        told = (
            "Its config, tokenizer and safetensors go into your Hugging Face cache. It can be stopped and gone on with."
        )
        if not await self.app.push_screen_wait(Confirm(f"{name} is not on this machine. Fetch it from the hub?", told)):
            return None
        dialog = WorkDialog(
            f"fetching {name}", engine.begin(Download(name=name)), bytes_told, kept="what is here stays"
        )
        summary: Mapping[str, Any] | None = await self.app.push_screen_wait(dialog)
        if dialog.error is not None:
            raise dialog.error
        if summary is None:
            self.notify(f"stopped; ask for {name} again and it goes on from there", timeout=6, markup=False)
            return None
        return summary

    async def _load(self, model: ModelLine) -> None:
        engine = await self.workbench.link.engine(model.name)
        job = engine.begin(Load(model=ModelChoice(name=model.name)))
        dialog = WorkDialog(f"opening {model.name}", job, stage_told)
        state = await self.app.push_screen_wait(dialog)
        if dialog.error is not None:
            raise dialog.error
        if state is not None:
            self.notify(f"{model.name} is open on {state.get('device')}", timeout=4, markup=False)

    async def _look_at(self) -> None:
        self._about()

    async def _forecast(self, name: str) -> None:
        try:
            engine = await self.workbench.link.engine()
            self._forecasts[name] = await engine.ask(ForecastOf(model=ModelChoice(name=name)))
        except EngineGone:
            return  # The list says it, once.
        except DctError as error:
            self._forecasts[name] = f"What it takes cannot be told: {error.message}."
        self._about()

    # What is shown

    def _show(self, lines: list[ModelLine], name: str | None = None) -> None:
        if not (self.is_attached and self.query("#model-list")):
            return
        self.models.show(in_order([*lines, *self._typed]), name)
        self._about()

    def _about(self) -> None:
        for about in self.query("#model-about").results(ChangingLines):  # None while the screen is being left.
            self._describe(about)

    def _describe(self, about: ChangingLines) -> None:
        model = self.models.at
        if model is None:
            about.show([])
            return
        forecast = self._forecasts.get(model.name)
        about.show(model_lines(model, forecast, max(20, about.content_size.width)))
        if forecast is None and not model.problem and model.folder:
            name = model.name
            self._rest.then(lambda: self._forecast(name))

    def _go_on(self, model: ModelLine) -> None:
        from .layers import LayersScreen

        self.app.push_screen(LayersScreen(model.name))


def _sound(model: ModelLine) -> ModelLine:
    if model.problem:
        raise DctError(f"{model.name} cannot be opened: {model.problem}", "choose another, or mend its folder")
    return model


def _of_sessions() -> set[str]:
    """The folders of models that sessions were fitted on."""
    from dct_tui.sessions import list_sessions

    records = (summary.record for summary in list_sessions())
    return {record.model.spec for record in records if record is not None and Path(record.model.spec).is_absolute()}
