"""Writing an export: in steps between which the screen lives on, and what needs the model by an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dct_tui.engine.messages import Export
from dct_tui.export import FORMATS, ExportOptions, exporting, session_context

from .export_plan import Choices, Outcome, folder_of, selection_of
from .model_work import WorkDialog, stage_told

if TYPE_CHECKING:
    from dct_tui.export import ExportVector

    from .app import Workbench
    from .workspace import Workspace

__all__ = ["ask_engine", "needing_model", "write_files"]


async def write_files(
    workspace: Workspace,
    choices: Choices,
    vectors: Sequence[ExportVector],
    formats: Sequence[str],
    outcome: Outcome,
    *,
    force: bool,
    on_file: Callable[[int], None],
) -> None:
    """Writes the formats that need no model. Where it is cancelled, the format that is being written leaves nothing.

    Args:
        outcome: gets the files of each format that is written.
        on_file: called after each file with how many there are.

    Raises:
        DctError: as `write_exports`.
    """
    done = 0
    options = ExportOptions(force=force, combine=choices.combine)
    context, folder = session_context(workspace.session), folder_of(workspace, choices)
    for name in formats:
        files = []
        with closing(exporting(name, vectors, context, folder, options)) as steps:
            for export in steps:
                files += [asdict(file) for file in export.files]
                on_file(done + len(files))
                await asyncio.sleep(0)
        done += len(files)
        outcome.files += files


async def ask_engine(
    app: Workbench, workspace: Workspace, choices: Choices, formats: Sequence[str], **what: bool
) -> Mapping[str, Any] | None:
    """Lets an engine with the session's model write these formats, or verify them; None where it was stopped.

    Raises:
        DctError: as the engine says.
    """
    request = Export(
        session=str(workspace.path),
        vectors=selection_of(workspace, choices),
        formats=tuple(formats),
        folder=str(folder_of(workspace, choices)),
        combine=choices.combine,
        **what,
    )
    engine = await app.link.engine(workspace.session.record.model.spec)
    title = f"{'verifying' if request.verify else 'writing'} {', '.join(formats)}"
    dialog = WorkDialog(title, engine.begin(request), stage_told, kept="what is whole stays")
    found: Mapping[str, Any] | None = await app.push_screen_wait(dialog)
    if dialog.error is not None:
        raise dialog.error
    return found


def needing_model(formats: Sequence[str]) -> list[str]:
    """Those of the formats that are made from the model's weights."""
    return [name for name in formats if FORMATS[name].needs_model]
