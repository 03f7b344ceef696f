"""Everything a fit was asked for: settings and prompts, in front of the fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from dct_tui.inert import inert
from dct_tui.sessions import SessionRecord

from .keymap import with_keys
from .scale_words import scale_words


class FitSettingsScreen(ModalScreen[None]):
    """The settings and prompts of a session's fit, to read."""

    DEFAULT_CSS = """
    FitSettingsScreen {
        align: center middle;
        & > Vertical {
            width: 96;
            max-width: 95%;
            height: 90%;
            max-height: 44;
            border: round $primary;
            background: $surface;
            padding: 0 1;
        }
        VerticalScroll { height: 1fr; scrollbar-size: 0 0; }
        .settings--keys { color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i,q,escape,enter", "leave", "Close", id="settings.close", tooltip="Back to the fit"),
        Binding("j", "scroll(1)", "Down", id="settings.down", show=False, tooltip="A line down"),
        Binding("k", "scroll(-1)", "Up", id="settings.up", show=False, tooltip="A line up"),
    ]

    def __init__(self, record: SessionRecord) -> None:
        super().__init__()
        self.record = record

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        with Vertical():
            with VerticalScroll():
                yield Static("\n".join(settings_text(self.record)), markup=False)
            yield Static(
                with_keys("{settings.close} closes   {settings.down} {settings.up} scroll"), classes="settings--keys"
            )

    def action_leave(self) -> None:
        """Back to the fit."""
        self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        """Scrolls."""
        view = self.query_one(VerticalScroll)
        view.scroll_to(y=view.scroll_y + lines, animate=False)


def settings_text(record: SessionRecord) -> Iterator[str]:
    """The lines, inert."""
    model, fit, prompts, source = record.model, record.fit, record.prompts, record.slice.source
    rows = {
        "model": model.spec,
        "from": f"{model.path}{f' at {model.commit}' if model.commit else ''}",
        "kind": f"{model.model_type}, {model.depth} blocks, width {model.width}, {model.dtype} on {model.device}",
        "slice": f"blocks {source} to {record.slice.target}; vectors act on what enters {source}",
        "method": fit.method,
        "factors": str(fit.factors),
        "iterations": str(fit.iterations),
        "orthogonal": fit.orthogonalisation,
        "scale": scale_words(fit.scale, record.calibration),
        "seed": str(fit.seed),
        "target": f"the last {fit.target_positions} tokens of each prompt",
        "row batch": str(record.row_batch or "as memory allows"),
        "made": record.created,
        "versions": ", ".join(f"{name} {found}" for name, found in record.versions.items()) or "not kept",
    }
    yield from (f"{name:<12}{' '.join(inert(text).split())}" for name, text in rows.items())
    if prompts.system:
        yield from ("", "system prompt", f"  {inert(prompts.system)}")
    for title, texts in (("fitted on", prompts.fit), ("judged on", prompts.validation)):
        yield from ("", f"{title} {len(texts)} prompts")
        yield from (f"  {inert(text)}" for text in texts)
