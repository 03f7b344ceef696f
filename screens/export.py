"""Export: vectors of the open session to files that other programs load."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from dct_tui.errors import DctError
from dct_tui.export import FORMATS, session_context
from dct_tui.sessions.layout import MARKS_FILE

from .base import BaseScreen
from .clipboard import copy
from .dialogs import ChooseOne, Confirm
from .export_asking import ask
from .export_plan import Choices, Foreseen, Outcome, Which, command_lines, counts, folder_of, foresee
from .export_words import Shown, form_rows, preview
from .export_write import ask_engine, needing_model, write_files
from .keymap import with_keys
from .rest import Rest
from .widgets.changing_lines import ChangingLines
from .widgets.choice_list import ChoiceList
from .widgets.line_list import LineList

REST_S = 0.15
FIRST: tuple[Which, ...] = ("selected", "starred", "rack")
"""What is offered first, of what there is."""
ASKING = "asking an engine for the model"


class _Choices(ChoiceList):
    """The choices of an export."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Write", id="export.write", tooltip="Write the files that are foreseen"),
    ]


class _Follows(ChangingLines):
    """What follows from the choices, wrapped anew at every size."""

    def __init__(self, wrap: Callable[[], None]) -> None:
        super().__init__(id="export-preview")
        self._wrap = wrap

    def on_resize(self) -> None:
        """The screen is told too soon: whether there is one pane or two is decided after that."""
        self._wrap()


class ExportScreen(BaseScreen[None]):
    """Write features to files for other programs. Choose which features, what they are to do, the formats and the
    folder; what will be written is foreseen beside, and nothing is written before enter.

    Vectors act on what enters a block; blocks are counted from 0 everywhere here. A strength is in units of R, the norm
    the features were trained at: it is what 1.0 will mean in the file. Adapters (lora) and edited models are made by an
    engine with the model open; so is what `v` does: the program that a file is for reads it, and the model must do
    under it what it does in the chat.
    """

    PLACE: ClassVar[str] = "export"
    CSS_PATH = "export.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space", "take", "Choose", id="export.take", tooltip="Choose the row under the cursor, or type its value"
        ),
        Binding("x", "stop", "Stop", id="export.stop", tooltip="Stop writing: nothing half-written is left"),
        Binding("v", "verify", "Verify", id="export.verify", tooltip="Open the model and verify what was written"),
        Binding("y", "copy", "Copy", id="export.copy", tooltip="Copy a file's path, or a command for it"),
        Binding(
            "n", "numbers", "Numbers", id="export.numbers", tooltip="Type the numbers of features, such as 0,3,8-12"
        ),
        Binding("s", "strength", "Strength", id="export.strength", tooltip="Type the strength, in units of R"),
        Binding("o", "folder", "Folder", id="export.folder", show=False, tooltip="Type the folder to write into"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.choices: Choices | None = None
        self.foreseen = Foreseen()
        self.outcome: Outcome | None = None
        self._seen: object = None
        self._doing = ""
        self._rest = Rest(self, "about", REST_S)

    def body(self) -> ComposeResult:
        """The choices, and what follows from them."""
        with Container(id="export-panes"):
            yield _Choices(id="export-choices")
            with Container(id="export-follows"):
                yield _Follows(self._show)

    def on_screen_resume(self) -> None:
        """Takes what the other places have left: selected features come before starred ones."""
        selected = bool(self.workbench.opened().selected)
        if self.choices is not None and selected and self.choices.which == "starred":
            self.choices = replace(self.choices, which="selected")
        super().on_screen_resume()

    def pulse(self) -> None:
        """Follows stars, selection and rack."""
        workspace = self.workbench.opened()
        stamp = None
        with suppress(OSError):
            found = (workspace.path / MARKS_FILE).stat()
            stamp = (found.st_mtime_ns, found.st_size)
        seen = (stamp, workspace.selected, workspace.rack, workspace.session.has_fit)
        if (*seen, self.choices) != self._seen:
            self._foresee()
            self._seen = (*seen, self.choices)

    # What the keys do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what is being written can be stopped."""
        return bool(self._doing) if action == "stop" else super().check_action(action, parameters)

    def action_take(self) -> None:
        """Chooses the row, or asks for its value."""
        choice = self.query_one(ChoiceList).at
        if choice is None:
            return
        if choice.key in FORMATS:
            self.choose(replace(self._chosen(), formats=self._chosen().formats ^ {choice.key}))
        elif choice.key == "combine":
            self.choose(replace(self._chosen(), combine=not self._chosen().combine))
        else:
            self.attempt(self._ask(choice.key))

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """Enter on the list writes, as it does everywhere here."""
        if not self._doing:
            self.attempt(self._write(), "write")

    def on_line_list_moved(self, event: LineList.Moved) -> None:
        """Another row is told of once the cursor rests."""
        self._rest.then(self._tell)

    def action_stop(self) -> None:
        """Stops writing."""
        self.workers.cancel_group(self, "write")
        self.notify("stopped; nothing half-written is left", timeout=4)

    def action_verify(self) -> None:
        """Verifies what was written."""
        if not self._doing:
            self.attempt(self._verify(), "write")

    def action_numbers(self) -> None:
        """Asks for numbers."""
        self.attempt(self._ask("numbers"))

    def action_strength(self) -> None:
        """Asks for a strength."""
        self.attempt(self._ask("strength"))

    def action_folder(self) -> None:
        """Asks for a folder."""
        self.attempt(self._ask("folder"))

    def action_copy(self) -> None:
        """Asks what to copy."""
        self.attempt(self._copy())

    # What takes its time

    async def _ask(self, what: str) -> None:
        changed = await ask(self.app, what, self.workbench.opened(), self._chosen())
        if changed is not None:
            self.choose(changed)

    async def _write(self) -> None:
        self._foresee()
        workspace, choices, foreseen = self.workbench.opened(), self._chosen(), self._required()
        there = [file.path for file in foreseen.files if file.is_there]
        if there and not await self.app.push_screen_wait(
            Confirm(f"{len(there)} of the files are there already. Replace them?", "\n".join(map(str, there[:12])))
        ):
            return
        by_model = needing_model(foreseen.formats)
        rest = [name for name in foreseen.formats if name not in by_model]
        of = sum(file.form in rest for file in foreseen.files)
        outcome = Outcome()
        try:
            self._do(f"writing {of} files")
            await write_files(
                workspace,
                choices,
                foreseen.vectors,
                rest,
                outcome,
                force=bool(there),
                on_file=lambda done: self._do(f"{done} of {of} files written"),
            )
            if by_model:
                self._do(ASKING)
                found = await ask_engine(self.workbench, workspace, choices, by_model, force=bool(there))
                outcome.files += found["files"] if found is not None else []
        finally:
            self._do("")
            self._foresee(outcome)
        for name, why in foreseen.refused.items():
            raise DctError(f"{name} was not written: {why}")

    async def _verify(self) -> None:
        self._foresee(self.outcome)
        workspace, choices, foreseen = self.workbench.opened(), self._chosen(), self._required()
        if missing := next((file for file in foreseen.files if not file.is_there), None):
            raise DctError(f"{missing.path.name} is not there", with_keys("{export.write} writes it"))
        try:
            self._do(ASKING)
            found = await ask_engine(self.workbench, workspace, choices, foreseen.formats, verify=True)
        finally:
            self._do("")
        if found is not None:
            self._foresee(Outcome(found["files"], found["checks"]))
            if wrong := next((check for check in found["checks"] if check["passed"] is False), None):
                raise DctError(f"{Path(wrong['path']).name} is not what was meant: {wrong['said']}", "do not use it")

    async def _copy(self) -> None:
        workspace, choices = self.workbench.opened(), self._chosen()
        written = [Path(file["path"]) for file in self.outcome.files] if self.outcome is not None else []
        files = written or [file.path for file in self.foreseen.files if file.is_there]
        lines = [*command_lines(workspace, choices, files), str(folder_of(workspace, choices))]
        choice = await self.app.push_screen_wait(ChooseOne("Copy which?", lines))
        if choice is not None:
            self.notify(await copy(self.app, lines[choice]), timeout=4, markup=False)

    # Showing

    def choose(self, choices: Choices) -> None:
        """Takes other choices, and foresees what follows."""
        self.choices = choices
        self.pulse()

    def _chosen(self) -> Choices:
        if self.choices is None:
            raise DctError("the session is being read", "try once more")
        return self.choices

    def _required(self) -> Foreseen:
        """What is foreseen, if it is anything."""
        foreseen = self.foreseen
        if foreseen.problem is not None:
            raise foreseen.problem
        if not foreseen.vectors:
            raise DctError(
                "no features are chosen", with_keys("{export.take} on features chooses; {export.numbers} takes numbers")
            )
        if not foreseen.planned:
            raise DctError("no format is chosen", "space on a format takes it")
        return foreseen

    def _do(self, what: str) -> None:
        """Says what is being done; empty: nothing any more."""
        began = bool(what) != bool(self._doing)
        self._doing = what
        if began:
            self.refresh_bindings()
        self._show()

    def _foresee(self, outcome: Outcome | None = None) -> None:
        """Looks what the choices come to now. What was done is shown until something else is chosen."""
        workspace = self.workbench.workspace
        if workspace is None:
            return  # The session is being left.
        if self.choices is None:
            there = counts(workspace)
            self.choices = Choices(which=next((one for one in FIRST if there[one]), "numbers"))
        self.outcome = outcome
        self.foreseen = foresee(workspace, self.choices)
        self._show()

    async def _tell(self) -> None:
        self._show()

    def _show(self) -> None:
        workspace, choices = self.workbench.workspace, self.choices
        if choices is None or workspace is None or not self.query(ChangingLines):
            return  # Not looked yet, or the session is being left.
        form, below = self.query_one(ChoiceList), self.query_one(ChangingLines)
        folder = folder_of(workspace, choices)
        form.show(form_rows(choices, workspace.rack, folder, self.foreseen))
        shown = Shown(choices, self.foreseen, folder, session_context(workspace.session), self._doing, self.outcome)
        row = form.at.key if form.at is not None else "which"
        width, height = below.content_size
        below.show(preview(shown, row, width, height, listed=self.is_wide))
