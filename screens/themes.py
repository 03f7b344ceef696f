"""The five themes: dark, light, two for colour-blind eyes, and the terminal's own colours.

Every colour is one of the 256 that terminals share, so that a terminal without more shows the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.theme import Theme

__all__ = ["DEFAULT_THEME", "DESCRIPTIONS", "TERMINAL_THEME", "THEMES"]

DEFAULT_THEME = "dark"
TERMINAL_THEME = "terminal"


@dataclass(frozen=True)
class _Palette:
    """Colours by their use. All texts are read on the background, the surface and the bars of the cursor."""

    background: str
    surface: str
    panel: str
    text: str
    muted: str
    primary: str
    accent: str
    good: str
    warn: str
    bad: str
    cursor: str
    blurred: str

    def theme(self, name: str, *, dark: bool = True) -> Theme:
        """The theme; what Textual would blend by itself is said here, for blends are none of the 256 colours."""
        texts = {
            "text": self.text,
            "text-muted": self.muted,
            "text-disabled": self.muted,
            "foreground-muted": self.muted,
            "foreground-disabled": self.muted,
            "text-primary": self.primary,
            "text-secondary": self.accent,
            "text-accent": self.accent,
            "text-success": self.good,
            "text-warning": self.warn,
            "text-error": self.bad,
        }
        bars = {
            "surface-lighten-1": self.blurred,
            "block-cursor-blurred-background": self.blurred,
            "block-cursor-background": self.cursor,
            "block-cursor-foreground": self.text,
            "block-cursor-blurred-foreground": self.text,
            "input-selection-background": self.cursor,
            "input-cursor-background": self.text,
            "input-cursor-foreground": self.background,
            **{
                f"{use}-muted": self.cursor for use in ("primary", "secondary", "accent", "success", "warning", "error")
            },
        }
        lines = {"border": self.primary, "border-blurred": self.muted}
        return Theme(
            name=name,
            dark=dark,
            primary=self.primary,
            secondary=self.accent,
            accent=self.accent,
            success=self.good,
            warning=self.warn,
            error=self.bad,
            foreground=self.text,
            background=self.background,
            surface=self.surface,
            panel=self.panel,
            variables={**texts, **bars, **lines},
        )


_DARK = {
    "background": "#121212",
    "surface": "#262626",
    "panel": "#303030",
    "text": "#e4e4e4",
    "muted": "#b2b2b2",
    "cursor": "#3a3a3a",
    "blurred": "#303030",
}

_TERMINAL = Theme(
    name=TERMINAL_THEME,
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_cyan",
    warning="ansi_magenta",
    error="ansi_red",
    success="ansi_green",
    accent="ansi_cyan",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables={
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "border": "ansi_blue",
        "border-blurred": "ansi_default",
        "block-cursor-foreground": "ansi_default",
        "block-cursor-background": "ansi_default",
        "block-cursor-text-style": "bold reverse",
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
        "primary-muted": "ansi_default",
        "text-muted": "ansi_default",
        "text-disabled": "ansi_default",
        "foreground-muted": "ansi_default",
        "input-selection-background": "ansi_default",
    },
)

THEMES: dict[str, Theme] = {
    "dark": _Palette(**_DARK, primary="#5fafff", accent="#87d7ff", good="#87d787", warn="#ffd75f", bad="#ff8787").theme(
        "dark"
    ),
    "light": _Palette(
        background="#ffffff",
        surface="#e4e4e4",
        panel="#dadada",
        text="#1c1c1c",
        muted="#4e4e4e",
        primary="#00005f",
        accent="#5f00af",
        good="#005f00",
        warn="#5f5f00",
        bad="#870000",
        cursor="#d7d7ff",
        blurred="#e4e4e4",
    ).theme("light", dark=False),
    "blue-orange": _Palette(
        **_DARK, primary="#87afff", accent="#d7d7ff", good="#5fafff", warn="#ffffaf", bad="#ff8700"
    ).theme("blue-orange"),
    "red-teal": _Palette(
        **_DARK, primary="#87d7d7", accent="#afffff", good="#5fd7d7", warn="#ffd7d7", bad="#ff8787"
    ).theme("red-teal"),
    TERMINAL_THEME: _TERMINAL,
}

DESCRIPTIONS = {
    "dark": "light on dark",
    "light": "dark on light",
    "blue-orange": "for eyes that take red for green",
    "red-teal": "for eyes that take blue for green, or yellow for pink",
    TERMINAL_THEME: "your terminal's own colours",
}
