"""Copying text so that it arrives, and saying which way it went."""

from __future__ import annotations

from typing import Any

from textual.app import App


def copy(app: App[Any], text: str) -> str:
    """Copies text; says which way it went, in a few words."""
    app.copy_to_clipboard(text)
    return "copied by OSC 52, if your terminal allows it"
