"""The last line of every screen: the keys that do something here."""

from __future__ import annotations

from textual.binding import ActiveBinding
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from ..keymap import key_of

GAP = "  "


class KeyLine(Static):
    """Keys and what they do, as many as there is room for; `?` shows the rest. Repainted when the focus changes."""

    DEFAULT_CSS = """
    KeyLine {
        dock: bottom;
        height: 1;
        background: $surface;
        color: $text-muted;
        link-style: none;
        link-color: $text-muted;
        link-background: $surface;
    }
    """

    def on_mount(self) -> None:
        """Follows the focus."""
        self._shown = ""
        self.screen.bindings_updated_signal.subscribe(self, lambda screen: self.follow())
        self.call_after_refresh(self.follow)

    def on_resize(self) -> None:
        """Shows more keys, or fewer."""
        self.follow()

    def follow(self) -> None:
        """Shows the keys of what has the focus, its own first."""
        if not self.is_attached or self.app.screen is not self.screen:
            return
        seen, keys = set(), []
        for _, binding, enabled, _ in sorted(self.screen.active_bindings.values(), key=self._rank):
            if binding.show and enabled and binding.action not in seen:
                seen.add(binding.action)
                keys.append((self.app.get_key_display(binding), binding.description, binding.action))
        keys = [key for key in keys if key[2] != "app.help"]
        helps = key_of("help")
        tail = [(helps, "help", "app.help")]
        room = self.size.width - 1
        parts: list[Content] = []
        text = ""
        for place, (key, what, action) in enumerate([*keys, *tail]):
            piece = f"{key} {what.lower()}"
            reserve = 0 if place == len(keys) else len(GAP) + len(f"{helps} help")
            if len(text) + len(GAP) + len(piece) + reserve > room:
                continue
            text += GAP * bool(text) + piece
            meta = Style.from_meta({"@click": f"app.key({action!r})"})
            parts.append(Content.styled(key, Style(bold=True) + meta) + Content.styled(f" {what.lower()}", meta))
        if text != self._shown:
            self._shown = text
            self.update(Content(" ") + Content(GAP).join(parts), layout=False)

    def _rank(self, active: ActiveBinding) -> tuple[int, int]:
        """What is nearest to the focus first, and in the order in which it is declared, whatever keys it has now."""
        declared = [binding.id for _, binding in active.node._bindings]
        at = declared.index(active.binding.id) if active.binding.id in declared else len(declared)
        return -len(active.node.ancestors), at
