"""What a model may be called. Imports nothing heavy: the screens ask too."""

from __future__ import annotations

import re

BUILTIN = "builtin"
HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)


def is_hub_id(name: str) -> bool:
    """Whether a name could be that of a model on the hub; folders are looked for first."""
    return name != BUILTIN and bool(HUB_ID.fullmatch(name))
