"""The blocks of a model as cells, with the slice marked on them."""

from __future__ import annotations

from collections.abc import Callable

from dct_tui.models.layer_range import LayerRange

from .changing_lines import ChangingLines, Line

OUTSIDE, INSIDE, SOURCE, TARGET = "·", "█", "▲", "▼"
WIDEST = 4
EVERY = (1, 2, 5, 10, 20, 50, 100)


class DepthPicture(ChangingLines):
    """Four lines: numbers, blocks, what is done where, and that in words. A cell is a block, or several in a row where
    there are more blocks than columns.
    """

    DEFAULT_CSS = """
    DepthPicture { height: 4; padding: 0 1; }
    """

    depth: int | None = None
    shown: LayerRange | None = None

    def draw(self, depth: int | None, layers: LayerRange | None) -> None:
        """Draws a slice of a model of that depth; None: not known."""
        self.depth, self.shown = depth, layers
        self._repaint()

    def on_resize(self) -> None:
        """Draws in the new width."""
        self._repaint()
        self.refresh()

    def _repaint(self) -> None:
        self.show(picture(self.depth, self.shown, self.size.width))


def picture(depth: int | None, layers: LayerRange | None, width: int) -> list[Line]:
    """The lines of the picture in so many columns."""
    if depth is None:
        return [[("how many blocks it has is not known before it is opened", "dim")]]
    if width < 8:
        return []
    # Columns a block takes, or blocks a column stands for.
    wide = max(1, min(WIDEST, (width - 1) // depth))
    many = 1 if depth <= width - 1 else -(-depth // (width - 1))

    def column(block: int) -> int:
        return block * wide // many

    columns = column(depth - 1) + wide
    lines: list[Line] = [[(_numbers(depth, column, columns), "dim")]]
    if layers is None:
        return [*lines, [(OUTSIDE * columns, "dim")], [("this is no slice", "bad")]]
    first, last = column(layers.source), column(layers.target - 1) + wide
    lines.append([(OUTSIDE * first, "dim"), (INSIDE * (last - first), "accent"), (OUTSIDE * (columns - last), "dim")])
    end = min(last, columns)
    signs = [" "] * (columns + 1)
    signs[end], signs[first] = TARGET, SOURCE
    lines.append([("".join(signs), "accent")])
    what = "after the last block" if layers.target == depth else f"at what enters {layers.target}"
    words = f"{SOURCE} steered at what enters {layers.source}, {TARGET} watched {what}: {_blocks(layers)} of {depth}"
    return [*lines, [(words, "")]]


def _blocks(layers: LayerRange) -> str:
    count = layers.target - layers.source
    return "1 block" if count == 1 else f"{count} blocks"


def _numbers(depth: int, column: Callable[[int], int], columns: int) -> str:

    every = next((step for step in EVERY if column(step) - column(0) >= 4), depth)
    line = [" "] * columns
    for block in range(0, depth, every):
        text = str(block)
        at = column(block)
        if at + len(text) <= columns:
            line[at : at + len(text)] = text
    return "".join(line)
