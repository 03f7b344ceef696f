"""The five places of a session with features and without a rack, at 120 columns, and how each is known."""

from __future__ import annotations

SEEN = {"1": "b built-in", "2": "i settings", "3": "s star", "5": "enter write", "4": "rack  0 of 0 on"}
"""The key that leads to a place, and what stands there and nowhere else. The chat is last: there numbers are typed."""
