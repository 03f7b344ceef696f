"""How a session is triaged: what is sampled, in which order, and where one was. Kept in the session's folder."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from ..errors import DctError
from ..sessions.atomic import write_atomic
from ..sessions.decode import decode
from ..sessions.regular import read_regular
from .orders import OrderName

SETTINGS_FILE = "triage.json"


@dataclass(frozen=True, kw_only=True)
class TriageSettings:
    """What a person chose on the features screen.

    Attributes:
        strengths: at which features are sampled, in units of R; the first is sampled first.
        prompts: on how many prompts at most.
        texts: those prompts; empty: the session's own.
        max_new_tokens: of a sample.
        advance: whether a mark goes on to the next feature; None leaves it to the person's own settings.
        order: of the list.
        reverse: whether it is turned round.
        feature: the feature under the cursor.
    """

    strengths: tuple[float, ...] = (1.0, 0.6, 1.4)
    prompts: int = 4
    texts: tuple[str, ...] = ()
    max_new_tokens: int = 64
    advance: bool | None = None
    order: OrderName = "rank"
    reverse: bool = False
    feature: int | None = None

    def __post_init__(self) -> None:
        if not self.strengths or 0 in self.strengths or max(map(abs, self.strengths)) > 1000:
            raise ValueError("strengths should be numbers other than 0")
        if self.prompts < 1 or self.max_new_tokens < 1:
            raise ValueError("prompts and tokens should be 1 or more")


def read_settings(folder: Path) -> TriageSettings:
    """The settings kept in a session's folder; the default ones where there are none that can be read."""
    with suppress(OSError, ValueError, DctError):
        return decode(TriageSettings, orjson.loads(read_regular(folder / SETTINGS_FILE)), SETTINGS_FILE)
    return TriageSettings()


def write_settings(folder: Path, settings: TriageSettings) -> None:
    """Keeps the settings, if the folder can be written to."""
    with suppress(DctError):
        write_atomic(folder / SETTINGS_FILE, orjson.dumps(asdict(settings)))
