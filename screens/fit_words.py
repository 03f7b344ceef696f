"""A fit in words: the lines above its curves, and its log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dct_tui.durations import about
from dct_tui.inert import one_line
from dct_tui.sessions.progress import Entry, Note

from .fit_watch import FitView, State
from .keymap import key_of, with_keys
from .model_lines import size
from .scale_words import large_words, scale_words
from .widgets.changing_lines import Line

MARKS: dict[State, tuple[str, str]] = {
    "created": ("○", "dim"),
    "waiting": ("◌", "warn"),
    "calibrating": ("●", "accent"),
    "fitting": ("●", "accent"),
    "describing": ("●", "accent"),
    "paused": ("‖", "warn"),
    "stopped": ("■", "warn"),
    "interrupted": ("■", "bad"),
    "failed": ("✗", "bad"),
    "fitted": ("✓", "good"),
}
"""A glyph and a style for each state; the word stands beside it."""
BAR = 20
LOGGED = {"calibrate": "calibrating R", "describe": "describing the features", "paused": "paused"}
"""Stages that the log tells of."""


def lines_of(view: FitView, here: str, engine: str = "") -> list[Line]:
    """What is said of a fit, above its curves.

    Args:
        here: the name of this host, to tell a process elsewhere.
        engine: what the engine says of its work on it, such as the model it is loading.
    """
    return [_headline(view), [(f"  {_next(view, engine)}", "")], *_settings(view), _figures(view, here)]


def _headline(view: FitView) -> Line:
    glyph, style = MARKS[view.state]
    parts: Line = [(f"{glyph} {view.state}", style)]
    if view.state in ("created", "waiting") and not view.entries:
        return parts
    if view.state == "describing":
        what, share = "features described", view.share
    else:
        what = f"iteration {view.iteration} of {view.of}"
        share = 1.0 if view.state == "fitted" else min(1.0, (view.iteration + view.share) / max(1, view.of))
    full = round(BAR * share)
    parts += [(f"  {what}  ", ""), ("█" * full + "░" * (BAR - full), style), (f" {share:.0%}", "")]
    if view.seconds_left is not None:
        parts.append((f"  {about(view.seconds_left)} left", ""))
    return parts


def _next(view: FitView, engine: str) -> str:
    """What it means and what to do, in one line."""
    again = (
        f"{key_of('fit.resume')} goes on from iteration {view.iteration}"
        if view.iteration
        else with_keys("{fit.resume} starts it")
    )
    failure = one_line(view.record.failure or "no reason was kept", 400)
    return {
        "created": f"not begun: {again}",
        "waiting": engine or "asked for: the engine has not begun",
        "calibrating": "looking for R: how far one can push before the slice is no longer nearly linear",
        "fitting": "leave whenever you like: it goes on without this screen",
        "describing": "measuring what each feature does",
        "paused": with_keys("{fit.pause} goes on; what is finished is kept"),
        "stopped": f"stopped; {again}",
        "interrupted": f"its process has ended; what was finished is kept: {again}",
        "failed": f"{failure} ({again})",
        "fitted": _outcome(view),
    }[view.state]


def _outcome(view: FitView) -> str:
    if not view.complete:
        return with_keys("its fit.safetensors is missing: {fit.resume} makes it again")
    took = f" in {about(view.took)}" if view.took else ""
    return f"{view.record.fit.factors} features{took}{_forecast(view)}: {key_of('fit.judge')} judges them"


def _forecast(view: FitView) -> str:
    return f", forecast {about(view.expected)}" if view.expected is not None else ""


def _settings(view: FitView) -> list[Line]:
    record = view.record
    judged = f"+{len(record.prompts.validation)}" if record.prompts.validation else ""
    what = (
        f"  {one_line(record.model.spec, 30)} {record.slice.source}→{record.slice.target} of {record.model.depth} · "
        f"{record.fit.method} · {record.fit.factors} factors · {len(record.prompts.fit)}{judged} prompts"
    )
    scale: Line = [(f"  {scale_words(record.fit.scale, record.calibration)}", "dim")]
    large = large_words(record.calibration) if record.fit.scale is None else ""
    return [[(what, "dim")], scale, *([[(f"  {large}", "warn")]] if large else [])]


def _figures(view: FitView, here: str) -> Line:
    parts = []
    last = view.entries[-1] if view.entries else None
    if last is not None and last.rows_per_second is not None:
        parts.append(f"{figure(last.rows_per_second)} rows/s")
    if view.running and view.memory:
        parts.append(size(view.memory))
    if view.holder is not None and view.running:
        where = f" on {one_line(view.holder.host, 30)}" if view.holder.host != here else ""
        parts.append(f"process {view.holder.pid}{where}" if view.holder.pid else "another process")
    if view.running and view.expected is not None:
        parts.append(f"forecast {about(view.expected)}")
    return [("  " + " · ".join(parts), "dim")]


# The log


def log_lines(happened: Sequence[Entry | Note], view: FitView) -> list[tuple[str, str]]:
    """What happened, as pairs of time and words: each iteration, and each change of what was being done."""
    lines = [(clock(view.record.created), "session made")]
    if view.unreadable:
        what = "1 line of its journal" if view.unreadable == 1 else f"{view.unreadable} lines of its journal"
        lines.append(("", f"{what} cannot be read, and what follows is without"))
    stage = ""
    for told in happened:
        if isinstance(told, Entry):
            lines.append((clock(told.at), iteration_words(told)))
            stage = ""
        elif told.stage != stage:
            stage = told.stage
            if words := LOGGED.get(stage):
                lines.append((clock(told.at), words))
    if view.state in ("stopped", "interrupted", "failed", "fitted"):
        # Of a process that was killed, the last that was heard.
        at = next((clock(told.at) for told in reversed(happened) if told.at), "")
        lines.append((at, _end_words(view)))
    return lines


def _end_words(view: FitView) -> str:
    if view.state == "failed":
        return f"failed: {one_line(view.record.failure or '', 300)}"
    return f"{view.state}, {about(view.took)} in all{_forecast(view)}" if view.took else view.state


def iteration_words(entry: Entry) -> str:
    """One iteration on one line."""
    parts = [f"iteration {entry.iteration}"]
    if entry.objective is not None:
        parts.append(f"objective {figure(entry.objective)}")
    if entry.change is not None:
        parts.append(f"change {entry.change:.1e}")
    if entry.settled is not None:
        parts.append(f"settled {entry.settled:.0%}")
    if entry.seconds is not None:
        parts.append(f"{entry.seconds:.1f} s")
    return "  ".join(parts)


# Figures


def figure(value: float) -> str:
    """A number in four digits or so."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def clock(at: object) -> str:
    """The local time of day of a time as it is written in session files; empty where it is none."""
    try:
        return datetime.fromisoformat(str(at).replace("Z", "+00:00")).astimezone().strftime("%H:%M:%S")
    except (ValueError, OverflowError):
        return ""
