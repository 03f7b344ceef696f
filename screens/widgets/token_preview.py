"""A prompt as the model sees it: token by token, special tokens and target positions marked by signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dct_tui.inert import columns, inert

from ..model_words import words_wrapped
from .changing_lines import ChangingLines, Line

SPECIAL = ("⟦", "⟧")
BETWEEN = "│"
TARGETS = ("«", "»")
MOST_LINES = 400
UNKNOWN = "!"
VISIBLE = {"\n": "↵", "\t": "⇥"}
LEGEND = "⟦⟧ special  │ next token  «» target positions  ↵ newline"


class TokenPreview(ChangingLines):
    """The tokens of prompts, wrapped. `scroll` moves it."""

    DEFAULT_CSS = """
    TokenPreview { height: 1fr; padding: 0 1; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._prompts: Sequence[Mapping[str, Any]] = ()
        self._message: tuple[str, str] | None = None
        self._top = 0

    def show_prompts(self, prompts: Sequence[Mapping[str, Any]], *, template: bool) -> None:
        """Shows prompts as the engine previews them."""
        self._prompts, self._top = prompts, 0
        self._message = None if template else ("no chat template: the prompts are run as they are", "warn")
        self._repaint()

    def say(self, message: str, style: str = "dim") -> None:
        """Shows words in place of prompts."""
        self._prompts, self._message, self._top = (), (message, style), 0
        self._repaint()

    def move(self, lines: int) -> None:
        """Scrolls."""
        self._top = max(0, self._top + lines)
        self._repaint()

    def on_resize(self) -> None:
        """Wraps anew."""
        self._repaint()
        self.refresh()

    def _repaint(self) -> None:
        width = self.content_size.width
        lines: list[Line] = []
        if self._message is not None:
            text, style = self._message
            lines += [[(piece, style)] for piece in words_wrapped(text, width)]
        for prompt in self._prompts:
            lines += token_lines(prompt, max(8, width))
            if len(lines) > MOST_LINES:
                break
        height = max(1, self.content_size.height - 1)
        self._top = max(0, min(self._top, len(lines) - height))
        shown = lines[self._top : self._top + height]
        if self._prompts:
            shown += [[] for _ in range(height - len(shown))]
            shown.append([(LEGEND, "dim")])
        self.show(shown)


def token_lines(prompt: Mapping[str, Any], width: int) -> list[Line]:
    """The lines of one prompt: no token is broken that fits on a line."""
    tokens: Sequence[str] = prompt.get("tokens") or ()
    special, targets = set(prompt.get("special") or ()), int(prompt.get("targets") or 0)
    unknown = set(prompt.get("unknown") or ())
    first_target = len(tokens) - targets
    lines: list[Line] = []
    if unknown:
        lines += [[(line, "warn")] for line in words_wrapped(unknown_words(len(unknown)), width)]
    lines.append([])
    used = 0
    for place, token in enumerate(tokens):
        text = "".join(VISIBLE.get(char, char) for char in inert(token)) or "∅"
        is_special = place in special
        pieces: Line = []
        if place == first_target:
            pieces.append((TARGETS[0], "bold"))
        elif place and not is_special and place - 1 not in special:
            pieces.append((BETWEEN, "dim"))
        style = "warn" if place in unknown else "accent" if is_special else "bold" if place >= first_target else ""
        pieces.append((f"{SPECIAL[0]}{text}{SPECIAL[1]}" if is_special else text, style))
        if place == len(tokens) - 1 and targets:
            pieces.append((TARGETS[1], "bold"))
        for piece, how in pieces:
            for part in _wrapped(piece, width):
                if used and used + columns(part) > width:
                    lines.append([])
                    used = 0
                lines[-1].append((part, how))
                used += columns(part)
    return lines


def unknown_words(count: int) -> str:
    """That so many tokens of a prompt are unknown, and what to do."""
    what = "1 token is" if count == 1 else f"{count} tokens are"
    return f"{UNKNOWN} {what} unknown to this model: it cannot read what stands there. Write it in other words."


def _wrapped(text: str, width: int) -> list[str]:
    """The text in pieces of at most so many columns."""
    pieces, piece, used = [], "", 0
    for char in text:
        wide = columns(char)
        if used + wide > width:
            pieces.append(piece)
            piece, used = "", 0
        piece, used = piece + char, used + wide
    return [*pieces, piece] if piece or not pieces else pieces
