"""A place of the open session; its screen is being built."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Static

from .base import BaseScreen


class ChatScreen(BaseScreen[None]):
    """Not built yet."""

    PLACE: ClassVar[str] = "chat"

    def body(self) -> ComposeResult:
        """A placeholder."""
        yield Static("being built")
