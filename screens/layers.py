"""Putting a fit together: its slice on a picture of the depth, its prompts, its settings, and what it will cost."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widgets import Input

from dct_tui.sessions import SessionRecord

from .dialogs import ChooseOne
from .keymap import with_keys
from .layers_asking import LayersAsking
from .layers_draft import WITHOUT_ITERATIONS, Draft, PromptDraft, draft_of, first_draft
from .layers_kept import Keeper, as_left
from .layers_presets import CALIBRATED, presets
from .layers_words import CHOICES, FIELDS, about_model, explanation, value_words
from .model_lines import ModelLine
from .model_words import words_wrapped
from .widgets.changing_lines import ChangingLines, Line
from .widgets.depth_picture import DepthPicture
from .widgets.input_line import InputLine
from .widgets.line_list import LineList
from .widgets.settings_form import Setting, SettingsForm
from .widgets.token_preview import TokenPreview

STEPS = ("preset", "source", "target", "factors", "iterations", "seed", "positions", *CHOICES)
TYPED = "enter takes it   {layers.leave_value} leaves it as it was"


class LayersScreen(LayersAsking):
    """Everything a fit needs. The picture shows the model's blocks: vectors are added to what enters the source block,
    and their effect is measured at what enters the target block. Every setting has a good default; the line below
    says what the one under the cursor is for, and then what the fit would take.

    Enter changes a setting, left and right step through its values. Pasted lines become prompts. What you leave here
    is there again when you choose the same model, until its fit is started.
    """

    PLACE: ClassVar[str] = "home"
    CSS_PATH = "layers.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+g,f5", "start", "Start", id="layers.start", tooltip="Start the fit"),
        Binding("p", "prompts", "Prompts", id="layers.prompts", tooltip="Write, paste or read the prompts"),
        Binding("c", "calibrate", "Calibrate", id="layers.calibrate", tooltip="Find R now, and see how it was found"),
        Binding("left_square_bracket", "move(-1, 0)", "Source down", id="layers.source_down", show=False,
                tooltip="The slice begins a block lower"),
        Binding("right_square_bracket", "move(1, 0)", "Source up", id="layers.source_up", show=False,
                tooltip="The slice begins a block higher"),
        Binding("left_curly_bracket", "move(0, -1)", "Target down", id="layers.target_down", show=False,
                tooltip="The slice ends a block lower"),
        Binding("right_curly_bracket", "move(0, 1)", "Target up", id="layers.target_up", show=False,
                tooltip="The slice ends a block higher"),
        Binding("J", "scroll_text(1)", "Text down", id="layers.down", show=False, tooltip="Scroll the prompts down"),
        Binding("K", "scroll_text(-1)", "Text up", id="layers.up", show=False, tooltip="Scroll the prompts up"),
        Binding("escape", "leave_value", "Leave", id="layers.leave_value", show=False,
                tooltip="Leave a value as it was"),
    ]  # fmt: skip

    def __init__(self, name: str, prefill: SessionRecord | None = None) -> None:
        super().__init__()
        if prefill is not None:
            known = ModelLine(name, depth=prefill.model.depth, width=prefill.model.width, chat_template=True)
            self.draft: Draft = draft_of(known, prefill)
        else:
            self.draft = as_left(first_draft(ModelLine(name)))
        self.keeper = Keeper(self, self.draft, keeps=prefill is None)
        self._editing: str | None = None

    def body(self) -> ComposeResult:
        """The model, its depth, the settings beside the prompts, what is typed, and what is said."""
        yield ChangingLines(id="layers-model")
        yield DepthPicture(id="layers-depth")
        with Container(id="layers-panes"):
            with Vertical():
                yield SettingsForm(id="layers-form")
                yield InputLine(id="layers-value", compact=True)
                yield ChangingLines(id="layers-said")
            yield TokenPreview(id="layers-preview")

    def on_mount(self) -> None:
        """Shows the settings; what the model is like is asked meanwhile."""
        super().on_mount()
        self.query_one("#layers-value").display = False
        self.form.focus()
        self.changed(self.draft)
        self.attempt(self.look_at_model())

    def on_unmount(self) -> None:
        """Keeps what has not been kept yet."""
        self.keeper.keep_now()

    @property
    def form(self) -> SettingsForm:
        """The settings."""
        return self.query_one(SettingsForm)

    # What the keys do

    def action_move(self, source: int, target: int) -> None:
        """Moves an end of the slice."""
        self.changed(self.draft.moved(source, target))

    def action_prompts(self) -> None:
        """To the prompts."""
        self.attempt(self._prompts())

    def action_start(self) -> None:
        """Starts the fit, if nothing is wrong."""
        if not self._take_typed():
            return
        for name in self.draft.problems():
            self.form.go_to_setting(name)
            break
        self.attempt(self.start(), "start")

    def action_calibrate(self) -> None:
        """Finds R."""
        self.attempt(self.calibrate(), "start")

    def action_scroll_text(self, lines: int) -> None:
        """Scrolls the prompts."""
        self.query_one(TokenPreview).move(lines)

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """Changes the setting under the cursor."""
        setting = self.form.at
        if setting is None:
            return
        if setting.name == "prompts":
            self.action_prompts()
        elif setting.name == "preset" or setting.name in CHOICES:
            self.attempt(self._choose(setting.name))
        else:
            self._type(setting.name)

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        """Says what the setting under the cursor is for."""
        self.say()

    def on_settings_form_stepped(self, event: SettingsForm.Stepped) -> None:
        """The next value, or the one before."""
        name, by = event.name, event.by
        if name in ("source", "target"):
            self.changed(self.draft.moved(**{name: by}))
        elif name == "preset":
            known = presets(self.draft.model.width)
            names = [preset.name for preset in known]
            at = names.index(self.draft.preset) + by if self.draft.preset in names else 0
            self.changed(self.draft.with_preset(known[at % len(known)]))
        elif name in CHOICES:
            values = list(CHOICES[name])
            at = values.index(self.draft.values[name]) if self.draft.values[name] in values else 0
            self.changed(self.draft.with_value(name, values[(at + by) % len(values)]))
        else:
            self.changed(self.draft.with_value(name, _stepped(name, self.draft, by)))

    def on_paste(self, event: events.Paste) -> None:
        """Lines that are pasted become prompts."""
        event.stop()
        self.attempt(self._prompts(event.text))

    def on_resize(self) -> None:
        """Wraps what is said anew."""
        self.call_after_refresh(self.say)

    # Typing a value

    def on_input_changed(self, event: Input.Changed) -> None:
        """Says what is wrong with what is typed."""
        if self._editing is not None:
            self._show(self.draft.with_value(self._editing, event.value))
            self.say()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Takes what was typed, if it can be taken."""
        self._take_typed()

    def action_leave_value(self) -> None:
        """Leaves the value as it was."""
        if self._editing is not None:
            self._close_value()
            self._show(self.draft)
            self.say()

    def _type(self, name: str) -> None:
        field = self.query_one("#layers-value", Input)
        self._editing = name
        field.value = self.draft.values[name]
        field.placeholder = f"{FIELDS[name][0]}: a number, or {CALIBRATED}" if name == "scale" else FIELDS[name][0]
        field.display = True
        field.focus()
        self.say()

    def _take_typed(self) -> bool:
        """Whether nothing is being typed any more."""
        if self._editing is None:
            return True
        name, text = self._editing, self.query_one("#layers-value", Input).value.strip()
        if name == "scale" and text.lower() in ("", CALIBRATED[: max(1, len(text))]):
            text = CALIBRATED
        tried = self.draft.with_value(name, text)
        if tried.problem(name):
            return False  # it stands beside the setting
        self._close_value()
        self.changed(tried)
        return True

    def _close_value(self) -> None:
        self._editing = None
        self.query_one("#layers-value").display = False
        self.form.focus()

    # What takes its time

    async def _choose(self, name: str) -> None:
        if name == "preset":
            known = presets(self.draft.model.width)
            lines = [f"{preset.name:<16}{preset.note}" for preset in known]
            at = next((place for place, preset in enumerate(known) if preset.name == self.draft.preset), 0)
        else:
            lines = [f"{value:<12}{words}" for value, words in CHOICES[name].items()]
            at = list(CHOICES[name]).index(self.draft.values[name]) if self.draft.values[name] in CHOICES[name] else 0
        choice = await self.app.push_screen_wait(ChooseOne(FIELDS[name][0], lines, at))
        if choice is None:
            return
        if name == "preset":
            self.changed(self.draft.with_preset(known[choice]))
        else:
            self.changed(self.draft.with_value(name, list(CHOICES[name])[choice]))

    async def _prompts(self, pasted: str = "") -> None:
        from .prompts import PromptsScreen

        draft = self.draft
        positions, seed = (int(draft.values[name]) if not draft.problem(name) else 1 for name in ("positions", "seed"))

        def changed(prompts: PromptDraft) -> None:
            self.keeper.keep(replace(draft, prompts=prompts))

        screen = PromptsScreen(draft.model_choice(), draft.prompts, positions, seed, changed)
        if pasted:
            screen.call_after_refresh(screen.take_lines, pasted)
        found: PromptDraft = await self.app.push_screen_wait(screen)
        self.changed(replace(self.draft, prompts=found))

    # What is shown

    def changed(self, draft: Draft) -> None:
        """Takes another draft, shows it, and reckons anew what it takes."""
        self.draft = draft
        self.keeper.keep(draft)
        self._show(draft)
        self.say()
        self.reckon()

    def say(self) -> None:
        """Says what the setting under the cursor is for, and what the fit would take."""
        if not self.is_attached:
            return
        said = self.query_one("#layers-said", ChangingLines)
        name = self._editing or (self.form.at.name if self.form.at else "preset")
        width = max(20, said.content_size.width)
        below: list[Line] = [[(with_keys(TYPED), "bold")]] if self._editing else self.cost_lines(width)
        said.show([*([(piece, "dim")] for piece in words_wrapped(explanation(name, self.draft), width)), *below])

    def _show(self, draft: Draft) -> None:
        self.query_one("#layers-model", ChangingLines).show([[(about_model(draft), "bold")]])
        self.query_one(DepthPicture).draw(draft.model.depth, draft.layers)
        self.form.show([_setting(name, draft) for name in FIELDS])


def _setting(name: str, draft: Draft) -> Setting:
    value, note = value_words(name, draft)
    return Setting(name, FIELDS[name][0], value, note, name in STEPS, draft.problem(name))


def _stepped(name: str, draft: Draft, by: int) -> str:
    """A number after a step: factors by powers of two, all else by one."""
    if draft.problem(name) and not draft.values[name].isdigit():
        return draft.values[name]
    number = int(draft.values[name])
    if name != "factors":
        return str(max(0 if name == "seed" else 1, number + by))
    width, method = draft.model.width, draft.values["method"]
    stepped = number * 2 if by > 0 else max(1, number // 2)
    free = draft.values["orthogonalisation"] == "soft" and method not in WITHOUT_ITERATIONS
    return str(stepped if width is None or free or method == "random" else max(1, min(stepped, width)))
