"""What each setting of a fit is for, in one line; and what a fit would cost, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dct_tui.durations import about
from dct_tui.inert import one_line

from .layers_draft import Draft
from .model_lines import count, size

SLOW_S = 600.0

FIELDS: dict[str, tuple[str, str]] = {
    "preset": ("preset", "settings that go together; change any of them afterwards"),
    "prompts": ("prompts", "a handful of ordinary ones; features are other ways of answering them"),
    "source": ("source block", "vectors are added to what enters this block; a third of the way up is good"),
    "target": ("target block", "their effect is measured at what enters this one; about ten above the source"),
    "method": ("method", ""),
    "factors": ("factors", "how many features are looked for; more find rarer behaviours and take longer"),
    "iterations": ("iterations", "rounds of improvement; most features have settled after ten"),
    "orthogonalisation": ("kept apart by", ""),
    "scale": ("R", "the norm of the vectors: found on your prompts (c draws how), or a number"),
    "seed": ("seed", "of all that is drawn at random: the same seed gives the same features again"),
    "positions": ("target tokens", "effects are averaged over so many tokens at the end of each prompt"),
    "dtype": ("precision", ""),
    "device": ("device", "where it runs: empty is the first GPU, else the CPU; or such as cuda:1"),
    "session": ("session name", "the folder it is kept in; empty makes a name of model, slice and method"),
}
"""Each setting's title, and what it is for."""

METHOD_WORDS = {
    "exponential": "the default: finds directions by what they do at full strength R",
    "quadratic": "second derivatives of the slice: pairs of what goes in and comes out; slow",
    "linear": "singular vectors of the slice's whole Jacobian; no iterations",
    "projected": "the same of a random projection: quicker where the model is wide",
    "melbo": "the earlier method: what changes the target tokens most, prompt by prompt",
    "random": "no fit: random directions of the same norm, to hold the others against",
}
APART_WORDS = {
    "polar": "all directions give way alike, as little as can be; the default",
    "qr": "one after the other: the first give way least",
    "soft": "only likes are pushed apart: there may be more factors than the model is wide",
}
DTYPE_WORDS = {
    "auto": "as the weights are stored on a GPU, fp32 on a CPU",
    "bf16": "half the memory of fp32; R and effects are a little less exact",
    "fp16": "half the memory of fp32; some models overflow in it",
    "fp32": "the most exact, and twice the memory of the others",
}
CHOICES: dict[str, dict[str, str]] = {"method": METHOD_WORDS, "orthogonalisation": APART_WORDS, "dtype": DTYPE_WORDS}
"""Settings that are one of several, and what each of them means."""


def explanation(name: str, draft: Draft) -> str:
    """What a setting is for, or what the value that is chosen means."""
    if name in CHOICES:
        return CHOICES[name].get(draft.values[name], "")
    if name == "preset" and draft.left:
        return "all is as you left it; a preset brings back the defaults, your prompts stay"
    return FIELDS[name][1]


def value_words(name: str, draft: Draft) -> tuple[str, str]:
    """A setting as it is shown, and what is said beside it."""
    values, layers = draft.values, draft.layers
    if name == "preset":
        return draft.preset, "as you left it; a preset brings defaults" if draft.left else ""
    if name == "prompts":
        seed = int(values["seed"]) if not draft.problem("seed") else 0
        fitted, held = draft.prompts.split(seed)
        system = "; with a system prompt" if draft.prompts.system else ""
        judged = f"{len(held)} to judge features on" if held else "features are judged on the same ones"
        return f"{len(fitted)} to fit on", f"{judged}{system}"
    if name in ("source", "target"):
        usual = "" if values[name] else "default"
        chosen = getattr(layers, name) if layers else None
        return values[name] or (str(chosen) if chosen is not None else "default"), usual
    if name == "iterations" and values["method"] in ("linear", "projected", "random"):
        return values[name], "this method has none"
    if name == "orthogonalisation" and values["method"] in ("linear", "projected", "random"):
        return values[name], "this method needs none"
    empty = {"device": "first GPU, else CPU", "session": "named by itself"}
    return values[name] or "–", "" if values[name] else empty.get(name, "")


def about_model(draft: Draft) -> str:
    """The model in one line."""
    model = draft.model
    parts = [one_line(model.name, 40), model.model_type or ""]
    if model.depth and model.width:
        parts.append(f"{model.depth} blocks × {model.width}")
    if model.parameters:
        parts.append(f"{count(model.parameters)} parameters")
    if not model.chat_template and model.folder:
        parts.append("no chat template")
    return " · ".join(one_line(part, 40) for part in parts if part)


def cost_words(forecast: Mapping[str, Any]) -> str:
    """What opening and fitting takes, in a sentence."""
    needed = forecast.get("fit_bytes") or forecast.get("load_bytes") or 0
    free = forecast.get("available_bytes") or 0
    seconds = forecast.get("seconds")
    what = "Fitting" if forecast.get("fit_bytes") else "Opening it"
    time = f", {about(seconds)}" if isinstance(seconds, int | float) else ""
    place = one_line(str(forecast.get("device", "")), 40)
    notes = "".join(f"; {one_line(str(note), 120)}" for note in forecast.get("notes") or ())
    return f"{what} takes about {size(needed)} of the {size(free)} free on {place}{time}{notes}."


def is_costly(forecast: Mapping[str, Any]) -> bool:
    """Whether it should be asked before it is begun."""
    seconds = forecast.get("seconds")
    return not forecast.get("fits", True) or (isinstance(seconds, int | float) and seconds > SLOW_S)
