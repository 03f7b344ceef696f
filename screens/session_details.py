"""All that is known of a session, in words."""

from __future__ import annotations

from .scale_words import large_words, scale_words
from .session_index import SessionLine

__all__ = ["details"]


def details(line: SessionLine) -> str:
    """Lines of text; what comes of files is not inert yet."""
    summary, record = line.summary, line.summary.record
    if record is None:
        return f"{summary.path}\n\nIt cannot be opened: {summary.problem}"
    model, fit, layers = record.model, record.fit, record.slice
    rows = {
        "folder": summary.path,
        "state": summary.state,
        "why": record.failure,
        "made": record.created.replace("T", " ")[:16],
        "model": model.spec,
        "commit": model.commit,
        "kind": f"{model.model_type}, {model.depth} blocks of width {model.width}, {model.dtype} on {model.device}",
        "slice": f"blocks {layers.source} to {layers.target - 1}: vectors enter block {layers.source}",
        "fit": f"{fit.method}, {fit.factors} factors, {fit.iterations} iterations",
        "how": f"{fit.orthogonalisation} orthogonalisation, seed {fit.seed}",
        "R": scale_words(fit.scale, record.calibration).removeprefix("R ").removeprefix("= "),
        "": large_words(record.calibration) if fit.scale is None else "",
        "prompts": f"{len(record.prompts.fit)} fitted on, {len(record.prompts.validation)} held back",
        "system": record.prompts.system,
        "judged": None
        if line.unjudged is None
        else f"{line.starred} starred, {line.rejected} rejected, {line.unjudged} left",
        "note": summary.problem,
    }
    width = max(map(len, rows))
    known = [f"{name:<{width}}  {value}" for name, value in rows.items() if value not in (None, "")]
    return "\n".join([*known, "", "Prompts", *(f"  {prompt}" for prompt in record.prompts.fit)])
