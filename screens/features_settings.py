"""The settings of the triage, one line each, changed one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual.app import App

from dct_tui.errors import DctError
from dct_tui.triage.settings import TriageSettings

from .dialogs import ChooseOne, EnterText

MOST_TOKENS = 4096
MOST_STRENGTHS = 8
BETWEEN = " | "


async def change_settings(app: App[Any], settings: TriageSettings, own: int, advance: bool) -> TriageSettings:
    """Asks until it is left; returns the settings as they are then.

    Args:
        own: how many prompts the session has to sample on.
        advance: what holds where the settings leave it to the person's own.
    """
    at: int | None = 0
    while True:
        goes_on = advance if settings.advance is None else settings.advance
        prompts = len(settings.texts) or own
        lines = [
            f"strengths         {_strengths_text(settings)}",
            f"prompts           {min(settings.prompts, prompts)} of {prompts}",
            f"tokens a sample   {settings.max_new_tokens}",
            f"a mark goes on    {'yes, to the next that is not judged' if goes_on else 'no'}",
            f"which prompts     {BETWEEN.join(settings.texts) or 'those of the session'}",
        ]
        at = await app.push_screen_wait(ChooseOne("Samples and marks", lines, at or 0))
        if at is None:
            return settings
        if at == 0:
            settings = await _change_strengths(app, settings)
        elif at == 3:
            settings = replace(settings, advance=not goes_on)
        elif at == 4:
            settings = await _change_texts(app, settings)
        else:
            settings = await _change_count(app, settings, at, prompts)


async def _change_strengths(app: App[Any], settings: TriageSettings) -> TriageSettings:
    text = await app.push_screen_wait(
        EnterText(
            "Strengths to sample at, in units of R",
            _strengths_text(settings),
            detail="The first is sampled first. Negative ones turn the vector round.",
            check=read_strengths,
        )
    )
    return settings if text is None else replace(settings, strengths=read_strengths(text))


async def _change_texts(app: App[Any], settings: TriageSettings) -> TriageSettings:
    text = await app.push_screen_wait(
        EnterText(
            "Prompts to sample on",
            BETWEEN.join(settings.texts),
            detail="Several with | between them. Empty: those of the session that are held back from the fit.",
        )
    )
    if text is None:
        return settings
    texts = tuple(dict.fromkeys(piece.strip() for piece in text.split("|") if piece.strip()))
    return replace(settings, texts=texts)


async def _change_count(app: App[Any], settings: TriageSettings, at: int, prompts: int) -> TriageSettings:
    question, now, most = (
        (f"On how many of the {prompts} prompts?", min(settings.prompts, prompts), prompts)
        if at == 1
        else ("How many tokens at most?", settings.max_new_tokens, MOST_TOKENS)
    )
    text = await app.push_screen_wait(EnterText(question, str(now), check=lambda text: _count(text, most)))
    if text is None:
        return settings
    count = _count(text, most)
    return replace(settings, prompts=count) if at == 1 else replace(settings, max_new_tokens=count)


def read_strengths(text: str) -> tuple[float, ...]:
    """`1, .6 1.4` as numbers, each once. Raises DctError for anything else."""
    try:
        found = tuple(dict.fromkeys(float(piece) for piece in text.replace(",", " ").split()))
    except ValueError:
        raise DctError(f"{text[:40]!r} is not a list of strengths", "write 1 0.6 1.4") from None
    if not 1 <= len(found) <= MOST_STRENGTHS or not all(0 < abs(strength) <= 1000 for strength in found):
        raise DctError(f"one to {MOST_STRENGTHS} strengths other than 0 can be sampled", "write 1 0.6 1.4")
    return found


def _strengths_text(settings: TriageSettings) -> str:
    return " ".join(f"{strength:g}" for strength in settings.strengths)


def _count(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise DctError(f"{text[:40]!r} is not a number from 1 to {most}", f"write a number from 1 to {most}")
    return int(text)
