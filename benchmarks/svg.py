"""Screens as SVG: in the same bytes every time, and no larger than they must be."""

from __future__ import annotations

import re


def steady(svg: str) -> str:
    """The picture without the numbers by which Textual tells pictures apart, and without what a reader does not miss.

    Spaces are kept by every program that shows it. Of a steady picture the result is the picture itself.
    """
    svg = re.sub(r"\bterminal-(?:\d+-)?", "", svg)
    svg = re.sub(r' clip-path="[^"]*"| shape-rendering="crispEdges"', "", svg)
    svg = re.sub(r"<clipPath.*?</clipPath>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<svg (?!xml:space)", '<svg xml:space="preserve" ', svg)
    return svg.replace("&#160;", " ")
