"""What the export screen asks: which features, to do what, how strongly, into which folder."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from textual.app import App

from dct_tui.errors import DctError
from dct_tui.paths import expand

from .dialogs import ChooseOne, EnterText
from .export_plan import NOTES, WAYS, WHICH, Choices, counts, folder_of, indices
from .paths_typed import PathSuggester
from .workspace import Workspace

__all__ = ["ask"]

Ask = Callable[["App[Any]", Workspace, Choices], Awaitable["Choices | None"]]


async def ask(app: App[Any], what: str, workspace: Workspace, choices: Choices) -> Choices | None:
    """The choices with another `which`, `numbers`, `way`, `strength` or `folder`; None where the question was left."""
    if what in ("way", "strength") and choices.which == "rack":
        raise DctError(
            "the rack says itself what is done with each feature, and how strongly", "4 and ctrl+l change it"
        )
    asks: dict[str, Ask] = {
        "which": _which, "numbers": _numbers, "way": _way, "strength": _strength, "folder": _folder
    }  # fmt: skip
    return await asks[what](app, workspace, choices)


async def _which(app: App[Any], workspace: Workspace, choices: Choices) -> Choices | None:
    there = counts(workspace)
    lines = [f"{one:<10}{there.get(one, ''):>5}  {NOTES[one]}" for one in WHICH]
    place = await app.push_screen_wait(ChooseOne("Which features?", lines, WHICH.index(choices.which)))
    if place is None:
        return None
    return (
        await _numbers(app, workspace, choices) if WHICH[place] == "numbers" else replace(choices, which=WHICH[place])
    )


async def _numbers(app: App[Any], workspace: Workspace, choices: Choices) -> Choices | None:
    detail = f"such as 0,3,8-12; there are 0 to {workspace.session.feature_count - 1}"

    def chosen(text: str) -> Choices:
        return replace(choices, which="numbers", numbers=text)

    typed = await app.push_screen_wait(
        EnterText(
            "Which features?", choices.numbers, detail=detail, check=lambda text: indices(workspace, chosen(text))
        )
    )
    return None if typed is None else chosen(typed)


async def _way(app: App[Any], workspace: Workspace, choices: Choices) -> Choices | None:
    ways = list(WAYS)
    place = await app.push_screen_wait(ChooseOne("To do what?", ways, ways.index(choices.way)))
    return None if place is None else replace(choices, way=ways[place])


async def _strength(app: App[Any], workspace: Workspace, choices: Choices) -> Choices | None:
    detail = "in units of R; below 0 is against it"
    typed = await app.push_screen_wait(
        EnterText("Strength", f"{choices.strength:g}", detail=detail, check=_strength_of)
    )
    return None if typed is None else replace(choices, strength=_strength_of(typed))


async def _folder(app: App[Any], workspace: Workspace, choices: Choices) -> Choices | None:
    shown, detail = str(folder_of(workspace, choices)), "right completes; it is made if missing"
    typed = await app.push_screen_wait(
        EnterText("Into which folder?", shown, detail=detail, check=expand, suggester=PathSuggester())
    )
    return None if typed is None else replace(choices, folder=typed)


def _strength_of(text: str) -> float:
    try:
        strength = float(text)
    except ValueError:
        raise DctError(f"{text!r:.30} is not a strength", "write a number such as 1.0 or -0.5") from None
    if strength == 0 or not abs(strength) < float("inf"):
        raise DctError(f"a strength of {strength:g} does nothing", "write a number such as 1.0 or -0.5")
    return strength
