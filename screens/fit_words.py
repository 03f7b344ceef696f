"""A fit in words: the lines above its curves, and its log."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dct_tui.inert import one_line

from .fit_watch import Entry, FitView, State, entry_of
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
        parts.append((f"  about {duration(view.seconds_left)} left", ""))
    return parts


def _next(view: FitView, engine: str) -> str:
    """What it means and what to do, in one line."""
    again = f"r goes on from iteration {view.iteration}" if view.iteration else "r starts it"
    failure = one_line(view.record.failure or "no reason was kept", 400)
    return {
        "created": f"not begun: {again}",
        "waiting": engine or "asked for: the engine has not begun",
        "calibrating": "looking for R: how far one can push before the slice is no longer nearly linear",
        "fitting": "leave whenever you like: it goes on without this screen",
        "describing": "measuring what each feature does",
        "paused": "p goes on; what is finished is kept",
        "stopped": f"stopped; {again}",
        "interrupted": f"its process has ended; what was finished is kept: {again}",
        "failed": f"{failure} ({again})",
        "fitted": _outcome(view),
    }[view.state]


def _outcome(view: FitView) -> str:
    if not view.complete:
        return "its fit.safetensors is missing: r makes it again"
    seconds = sum(entry.seconds or 0 for entry in view.entries)
    took = f" in {duration(seconds)}" if seconds else ""
    return f"{view.record.fit.factors} features{took}: enter judges them"


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
        parts.append(f"{view.memory / 2**30:.1f} GiB")
    if view.holder is not None and view.running:
        where = f" on {one_line(view.holder.host, 30)}" if view.holder.host != here else ""
        parts.append(f"process {view.holder.pid}{where}" if view.holder.pid else "another process")
    return [("  " + " · ".join(parts), "dim")]


# The log


def log_lines(happened: Sequence[Mapping[str, Any]], view: FitView) -> list[tuple[str, str]]:
    """What happened, as pairs of time and words: each iteration, and each change of what was being done."""
    lines = [(clock(view.record.created), "session made")]
    stage = ""
    for record in happened:
        if (entry := entry_of(record)) is not None:
            lines.append((clock(entry.at), iteration_words(entry)))
            stage = ""
        elif (told := str(record.get("stage", ""))) and told != stage:
            stage = told
            words = {"calibrate": "calibrating R", "describe": "describing the features", "paused": "paused"}.get(told)
            if words:
                lines.append((clock(record.get("at", "")), words))
    if view.state in ("stopped", "interrupted", "failed", "fitted"):
        lines.append(
            ("", view.state if view.state != "failed" else f"failed: {one_line(view.record.failure or '', 300)}")
        )
    return lines


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


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def figure(value: float) -> str:
    """A number in four digits or so."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def clock(at: object) -> str:
    """The local time of day of a time as it is written in session files; empty where it is none."""
    try:
        return datetime.fromisoformat(str(at).replace("Z", "+00:00")).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return ""
