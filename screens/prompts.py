"""The prompts of a fit: typed, pasted or read from a file, and shown as the model will see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from dct_tui.engine.errors import EngineGone
from dct_tui.engine.messages import ModelChoice, Preview
from dct_tui.errors import DctError
from dct_tui.models.names import BUILTIN
from dct_tui.paths import expand
from dct_tui.prompts import read_prompts

from .base import BaseScreen
from .dialogs import ChooseOne, EnterText
from .keymap import with_keys
from .layers_draft import PromptDraft, builtin_prompts
from .paths_typed import PathSuggester
from .rest import Rest
from .widgets.line_list import LineList
from .widgets.prompt_list import PromptList
from .widgets.token_preview import TokenPreview

REST_S = 0.15


class PromptsScreen(BaseScreen[PromptDraft]):
    """The prompts to fit on. A handful of ordinary ones is enough: they need not show what you look for. A quarter is
    held back, so that features are judged on prompts that they were not fitted on; or read a file to judge them on.

    Below or beside is the prompt under the cursor as the model will see it: ⟦…⟧ are special tokens, │ stands between
    tokens, «…» are the target positions, where effects are measured. Pasted lines become prompts, one a line.
    """

    PLACE: ClassVar[str] = "home"
    CSS_PATH = "prompts.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,escape", "done", "Done", id="prompts.done", tooltip="Back to the settings, with these prompts"),
        Binding("a", "add", "Add", id="prompts.add", tooltip="Type a prompt"),
        Binding("f", "read", "File", id="prompts.read", tooltip="Read prompts from a .txt, .jsonl or .csv file"),
        Binding("x,delete", "remove", "Remove", id="prompts.remove", tooltip="Take the prompt under the cursor out"),
        Binding("u", "undo", "Undo", id="prompts.undo", tooltip="Undo the last change"),
        Binding("s", "system", "System", id="prompts.system", tooltip="Type a system prompt; empty: none"),
        Binding(
            "v", "validation", "Judge on", id="prompts.validation", tooltip="Read the prompts to judge features on"
        ),
        Binding("h", "hold_out", "Hold back", id="prompts.hold_out", show=False, tooltip="Hold back a quarter instead"),
        Binding("b", "builtin", "Built-in's", id="prompts.builtin", show=False, tooltip="Those of the built-in model"),
        Binding("X", "clear", "Clear", id="prompts.clear", show=False, tooltip="Take them all out"),
        Binding("J", "scroll_text(1)", "Text down", id="prompts.down", show=False, tooltip="Scroll the preview down"),
        Binding("K", "scroll_text(-1)", "Text up", id="prompts.up", show=False, tooltip="Scroll the preview up"),
    ]

    def __init__(
        self, model: ModelChoice, draft: PromptDraft, positions: int, seed: int, changed: Callable[[PromptDraft], None]
    ) -> None:
        super().__init__()
        self.model, self.draft, self.positions, self.seed, self.changed = model, draft, positions, seed, changed
        self._before: list[PromptDraft] = []
        self._rest = Rest(self, "preview", REST_S)

    def body(self) -> ComposeResult:
        """The list, and the preview."""
        with Container(id="prompts-panes"):
            yield PromptList(id="prompts-list")
            yield TokenPreview(id="prompts-preview")

    def on_mount(self) -> None:
        """Shows what there is."""
        super().on_mount()
        self._show()
        self.prompts.focus()

    @property
    def prompts(self) -> PromptList:
        """The list."""
        return self.query_one(PromptList)

    # What the keys do

    def action_done(self) -> None:
        """Back, with the prompts as they are."""
        self.dismiss(self.draft)

    def action_add(self) -> None:
        """Asks for a prompt."""
        self.attempt(self._add())

    def action_read(self) -> None:
        """Asks for a file."""
        self.attempt(self._read("Read prompts from which file?", validation=False))

    def action_validation(self) -> None:
        """Asks for a file of prompts to judge on."""
        self.attempt(self._read("Judge features on the prompts of which file?", validation=True))

    def action_system(self) -> None:
        """Asks for a system prompt."""
        self.attempt(self._system())

    def action_remove(self) -> None:
        """Takes one out."""
        row, fitted = self.prompts.cursor, len(self.draft.fit)
        if row < fitted:
            self._change(replace(self.draft, fit=_without(self.draft.fit, row)))
        elif self.draft.validation:
            self._change(replace(self.draft, validation=_without(self.draft.validation, row - fitted) or None))

    def action_undo(self) -> None:
        """Brings back what was there before."""
        if not self._before:
            raise DctError("nothing was changed here")
        self.draft = self._before.pop()
        self._show()

    def action_hold_out(self) -> None:
        """Judges on a quarter of the prompts."""
        self._change(replace(self.draft, validation=None))

    def action_builtin(self) -> None:
        """Takes the prompts of the built-in model."""
        self._change(replace(builtin_prompts(), system=self.draft.system))

    def action_clear(self) -> None:
        """Takes all out."""
        self._change(PromptDraft(system=self.draft.system))

    def action_scroll_text(self, lines: int) -> None:
        """Scrolls the preview."""
        self.query_one(TokenPreview).move(lines)

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """Edits the prompt."""
        self.attempt(self._edit(event.row, event.what))

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        """Another prompt is under the cursor."""
        self._preview()

    def on_paste(self, event: events.Paste) -> None:
        """Takes what was pasted, one prompt a line."""
        event.stop()
        self.take_lines(event.text)

    def take_lines(self, text: str) -> None:
        """Takes lines as prompts, beside or in place of those that are there."""
        lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
        self.attempt(self._take([line for line in lines if line]))

    # What takes its time

    async def _add(self) -> None:
        detail = "an ordinary one: a question, a task; escape leaves"
        typed = await self.app.push_screen_wait(EnterText("A prompt", detail=detail, check=_not_empty))
        if typed is not None:
            self._change(replace(self.draft, fit=(*self.draft.fit, typed.strip())))
            self.prompts.go_to(len(self.draft.fit) - 1)

    async def _edit(self, row: int, prompt: str) -> None:
        if "\n" in prompt:
            raise DctError(
                "this prompt has several lines",
                with_keys("{prompts.remove} takes it out; read it from a .jsonl file when changed"),
            )
        typed = await self.app.push_screen_wait(EnterText("The prompt", prompt, check=_not_empty))
        if typed is None:
            return
        if (row, prompt) not in ((number, one) for number, (_, one) in enumerate(self.prompts.uses)):
            raise DctError("the prompt was taken out meanwhile", with_keys("{prompts.add} adds one"))
        fitted = len(self.draft.fit)
        if row < fitted:
            self._change(replace(self.draft, fit=_with(self.draft.fit, row, typed.strip())))
        else:
            judged = _with(self.draft.validation or (), row - fitted, typed.strip())
            self._change(replace(self.draft, validation=judged))

    async def _read(self, question: str, *, validation: bool) -> None:
        typed = await self.app.push_screen_wait(
            EnterText(
                question,
                detail=".txt one a line, .jsonl, or .csv with a header; right completes",
                check=lambda text: read_prompts(expand(text)),
                suggester=PathSuggester(folders_only=False),
            )
        )
        if typed is None:
            return
        found = read_prompts(expand(typed))
        if validation:
            self._change(replace(self.draft, validation=found))
            return
        await self._take(found)

    async def _take(self, found: Sequence[str]) -> None:
        """Takes prompts to fit on. Where there are some already, they are asked about: who brings prompts of their own
        seldom means them beside those of an example, nor to be judged on those."""
        before = self.draft
        taken = replace(before, fit=tuple(dict.fromkeys((*before.fit, *found))))
        if before.fit and found:
            alone = PromptDraft(tuple(dict.fromkeys(found)), system=before.system)
            ways = {f"in place of the {len(before.fit)} that are here": alone, "beside them": taken}
            lines = [f"{way}: {_split_words(draft, self.seed)}" for way, draft in ways.items()]
            choice = await self.app.push_screen_wait(ChooseOne(f"How are these {len(alone.fit)} prompts meant?", lines))
            if choice is None:
                return
            taken = list(ways.values())[choice]
            self.notify(with_keys("{prompts.undo} brings back the prompts as they were"), timeout=4)
        self._change(taken)
        self.prompts.go_to(len(taken.fit) - 1)

    async def _system(self) -> None:
        detail = "it stands before each prompt; empty: none. Some templates refuse one"
        typed = await self.app.push_screen_wait(EnterText("System prompt", self.draft.system or "", detail=detail))
        if typed is not None:
            self._change(replace(self.draft, system=typed.strip() or None))

    async def _ask(self, prompt: str) -> None:
        preview = self.query_one(TokenPreview)
        wish = Preview(model=self.model, prompts=(prompt,), system=self.draft.system, target_positions=self.positions)
        try:
            engine = await self.workbench.link.engine()
            answer = await engine.ask(wish)
        except EngineGone as error:
            preview.say(str(error), "bad")
        except DctError as error:
            preview.say(f"✗ {error}", "bad")
        else:
            found: Sequence[Mapping[str, Any]] = answer.get("prompts", ())
            preview.show_prompts(found, template=bool(answer.get("template")))

    # What is shown

    def _change(self, draft: PromptDraft) -> None:
        self._before.append(self.draft)
        self.draft = draft
        self._show()

    def _show(self) -> None:
        self.changed(self.draft)
        self.prompts.show(self.draft, self.seed)
        self._preview()

    def _preview(self) -> None:
        prompt = self.prompts.at
        if prompt is None:
            hint = (
                with_keys("; {prompts.builtin} takes those of the built-in model") if self.model.name == BUILTIN else ""
            )
            self.query_one(TokenPreview).say(f"here a prompt is shown as the model will see it{hint}")
            return
        self._rest.then(lambda: self._ask(prompt))


def _not_empty(text: str) -> None:
    if not text.strip():
        raise DctError("a prompt has something in it", "escape leaves it")


def _split_words(draft: PromptDraft, seed: int) -> str:
    fitted, held = draft.split(seed)
    return f"{len(fitted)} to fit on, {len(held)} to judge on"


def _without(prompts: Sequence[str], row: int) -> tuple[str, ...]:
    return (*prompts[:row], *prompts[row + 1 :])


def _with(prompts: Sequence[str], row: int, prompt: str) -> tuple[str, ...]:
    return (*prompts[:row], prompt, *prompts[row + 1 :])
