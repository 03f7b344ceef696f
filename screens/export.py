"""Export: vectors of the open session to files that other programs load."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import Static

from dct_tui.errors import DctError
from dct_tui.export import FORMATS, ExportOptions, Written, export_vectors, session_context
from dct_tui.inert import inert
from dct_tui.sessions.layout import MARKS_FILE

from .base import BaseScreen
from .clipboard import copy
from .dialogs import ChooseOne, Confirm, EnterText
from .export_plan import (
    WAYS,
    WHICH,
    Choices,
    Planned,
    Refused,
    Which,
    command_lines,
    counts,
    folder_of,
    indices,
    plan,
    vectors_of,
)
from .export_words import listed_files, planned_words, receipt_words, where_words
from .paths_typed import PathSuggester
from .widgets.choice_list import Choice, ChoiceList
from .widgets.line_list import LineList

NOTES: dict[Which, str] = {
    "starred": "those you gave a star",
    "selected": "those selected on the features screen",
    "rack": "as the chat has them: strength, sign, ablations",
    "all": "every feature of the session",
    "numbers": "",
}


class _Choices(ChoiceList):
    """The choices of an export."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Write", id="export.write", tooltip="Write the files that are foreseen"),
    ]


class ExportScreen(BaseScreen[None]):
    """Write features to files for other programs. Choose which features, what they are to do, the formats and the
    folder; what will be written is foreseen beside, and nothing is written before enter.

    Vectors act on what enters a block; blocks are counted from 0 everywhere here. A strength is in units of R, the norm
    the features were trained at: it is what 1.0 will mean in the file.
    """

    PLACE: ClassVar[str] = "export"
    CSS_PATH = "export.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space", "take", "Choose", id="export.take", tooltip="Choose the row under the cursor, or type its value"
        ),
        Binding(
            "n", "numbers", "Numbers", id="export.numbers", tooltip="Type the numbers of features, such as 0,3,8-12"
        ),
        Binding("s", "strength", "Strength", id="export.strength", tooltip="Type the strength, in units of R"),
        Binding("o", "folder", "Folder", id="export.folder", tooltip="Type the folder to write into"),
        Binding("y", "copy", "Copy", id="export.copy", tooltip="Copy a file's path, or a command for it"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.choices: Choices | None = None
        self.written: list[Written] = []
        self._seen: object = None

    def body(self) -> ComposeResult:
        """The choices, and what follows from them."""
        with Container(id="export-panes"):
            yield _Choices(id="export-choices")
            yield Static("", id="export-preview", markup=False)

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
        seen = (stamp, workspace.selected, workspace.rack, workspace.session.has_fit, self.choices)
        if seen != self._seen:
            self._seen = seen
            self._show()

    # What the keys do

    def action_take(self) -> None:
        """Chooses the row, or asks for its value."""
        choice = self.query_one(ChoiceList).at
        if choice is None or self.choices is None:
            return
        kind, value = choice.key
        if not choice.can_be:
            raise DctError(f"{value} is made from the model's weights", "dct-tui export --help tells how")
        if kind == "which" and value == "numbers":
            self.action_numbers()
        elif kind == "which":
            self._choose(which=value)
        elif kind == "way":
            self._choose(way=value)
        elif kind == "format":
            self._choose(formats=self.choices.formats ^ {value})
        elif kind == "combine":
            self._choose(combine=not self.choices.combine)
        elif kind == "value":
            {"strength": self.action_strength, "folder": self.action_folder}[value]()

    def on_line_list_chosen(self, event: LineList.Chosen) -> None:
        """Enter on the list writes, as it does everywhere here."""
        self.action_write()

    def action_write(self) -> None:
        """Writes the files."""
        self.attempt(self._write(), "write")

    def action_numbers(self) -> None:
        """Asks for numbers."""
        self.attempt(self._ask_numbers())

    def action_strength(self) -> None:
        """Asks for a strength."""
        self.attempt(self._ask_strength())

    def action_folder(self) -> None:
        """Asks for a folder."""
        self.attempt(self._ask_folder())

    def action_copy(self) -> None:
        """Asks what to copy."""
        self.attempt(self._copy())

    # What takes its time

    async def _ask_numbers(self) -> None:
        workspace, choices = self.workbench.opened(), self._chosen()
        typed = await self.app.push_screen_wait(
            EnterText(
                "Which features?",
                choices.numbers,
                detail=f"such as 0,3,8-12; there are 0 to {workspace.session.feature_count - 1}",
                check=lambda text: indices(workspace, replace(choices, which="numbers", numbers=text)),
            )
        )
        if typed is not None:
            self._choose(which="numbers", numbers=typed)

    async def _ask_strength(self) -> None:
        typed = await self.app.push_screen_wait(
            EnterText(
                "Strength",
                f"{self._chosen().strength:g}",
                detail="in units of R; below 0 is against it",
                check=_strength,
            )
        )
        if typed is not None:
            self._choose(strength=_strength(typed))

    async def _ask_folder(self) -> None:
        shown = str(folder_of(self.workbench.opened(), self._chosen()))
        typed = await self.app.push_screen_wait(
            EnterText(
                "Into which folder?", shown, detail="right completes; it is made if missing", suggester=PathSuggester()
            )
        )
        if typed is not None:
            self._choose(folder=typed)

    async def _write(self) -> None:
        workspace, choices = self.workbench.opened(), self._chosen()
        vectors = vectors_of(workspace, choices)
        if not vectors:
            raise DctError("no features are chosen", "space chooses a row; n takes numbers")
        if not choices.formats:
            raise DctError("no format is chosen", "space on a format takes it")
        planned = plan(workspace, choices, vectors)
        there = [file.path for file in planned if isinstance(file, Planned) and file.is_there]
        if there and not await self.app.push_screen_wait(
            Confirm(f"{len(there)} of the files are there already. Replace them?", "\n".join(map(str, there[:12])))
        ):
            return
        refused = {file.form for file in planned if isinstance(file, Refused)}
        self.written = []
        for name in FORMATS:
            if name in choices.formats and name not in refused:
                options = ExportOptions(force=bool(there), combine=choices.combine)
                context = session_context(workspace.session)
                self.written += export_vectors(name, vectors, context, folder_of(workspace, choices), options)
        self._show()
        if refused:
            raise DctError(
                *next((f"{file.form} was not written: {file.why}", "") for file in planned if isinstance(file, Refused))
            )

    async def _copy(self) -> None:
        workspace, choices = self.workbench.opened(), self._chosen()
        files = [file.path for file in self.written]
        if not files:
            planned = plan(workspace, choices, vectors_of(workspace, choices))
            files = [file.path for file in planned if isinstance(file, Planned) and file.is_there]
        lines = [*command_lines(workspace, choices, files), str(folder_of(workspace, choices))]
        choice = await self.app.push_screen_wait(ChooseOne("Copy which?", lines))
        if choice is not None:
            self.notify(await copy(self.app, lines[choice]), timeout=4, markup=False)

    # Showing

    def _choose(self, **changes: object) -> None:
        self.choices = replace(self._chosen(), **changes)  # type: ignore[arg-type]
        self.written = []
        self.pulse()

    def _chosen(self) -> Choices:
        if self.choices is None:
            raise DctError("the session is being read", "try once more")
        return self.choices

    def _show(self) -> None:
        workspace = self.workbench.opened()
        there = counts(workspace)
        if self.choices is None:
            first: Which = next((one for one in ("selected", "starred", "rack") if there[one]), "numbers")
            self.choices = Choices(which=first)
        choices = self.choices
        by_rack = choices.which == "rack"
        rows = [Choice("heading", ("", ""), "Which features")]
        for which in WHICH:
            note = choices.numbers if which == "numbers" else f"{there[which]:>5}  {NOTES[which]}"
            rows.append(Choice("one", ("which", which), which, note, choices.which == which))
        rows.append(Choice("heading", ("", ""), "To do what" + (" (the rack says it itself)" if by_rack else "")))
        rows += [Choice("one", ("way", way), way, "", choices.way == way and not by_rack) for way in WAYS]
        rows.append(
            Choice("value", ("value", "strength"), "strength", "the rack's" if by_rack else f"{choices.strength:g} R")
        )
        rows.append(Choice("heading", ("", ""), "Files"))
        for name, form in FORMATS.items():
            rows.append(
                Choice(
                    "several", ("format", name), name, form.description, name in choices.formats, form.build is not None
                )
            )
        rows.append(Choice("several", ("combine", ""), "combine", "one file that adds all at once", choices.combine))
        rows.append(Choice("value", ("value", "folder"), "folder", str(folder_of(workspace, choices))))
        self.query_one(ChoiceList).show(rows)
        self.query_one("#export-preview", Static).update(inert(self._preview(choices)))

    def _preview(self, choices: Choices) -> str:
        workspace = self.workbench.opened()
        folder: Path = folder_of(workspace, choices)
        try:
            vectors = vectors_of(workspace, choices)
            planned = plan(workspace, choices, vectors)
        except DctError as error:
            return f"Nothing can be written: {error.message}\n→ {error.hint}" + listed_files(folder)
        if self.written:
            return receipt_words(self.written) + listed_files(folder)
        return where_words(vectors, session_context(workspace.session)) + planned_words(planned) + listed_files(folder)


def _strength(text: str) -> float:
    try:
        strength = float(text)
    except ValueError:
        raise DctError(f"{text!r:.30} is not a strength", "write a number such as 1.0 or -0.5") from None
    if strength == 0 or not abs(strength) < float("inf"):
        raise DctError(f"a strength of {strength:g} does nothing", "write a number such as 1.0 or -0.5")
    return strength
