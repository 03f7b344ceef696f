"""A fit that is being put together, kept until it is started: one file a model, in the data folder."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from dct_tui.errors import DctError
from dct_tui.paths import data_root
from dct_tui.sessions.atomic import write_atomic
from dct_tui.sessions.decode import decode
from dct_tui.sessions.regular import read_regular

from .layers_draft import Draft, PromptDraft, first_draft
from .layers_words import CHOICES
from .rest import Rest

if TYPE_CHECKING:
    from .base import BaseScreen

FOLDER = "drafts"
REST_S = 0.5


@dataclass(frozen=True, kw_only=True)
class _Kept:
    model: str
    values: dict[str, Any]
    prompts: PromptDraft


def as_left(draft: Draft) -> Draft:
    """The draft as it was left the last time; the one that is given where nothing was, or it cannot be read."""
    with suppress(OSError, DctError, orjson.JSONDecodeError):
        kept = decode(_Kept, orjson.loads(read_regular(_file(draft.model.name))), FOLDER)
        if kept.model == draft.model.name:
            values = {name: text for name, text in kept.values.items() if _can_be(name, text, draft)}
            return replace(draft, values={**draft.values, **values}, prompts=kept.prompts, left=True)
    return draft


class Keeper:
    """Keeps the draft of a screen whenever it has rested for a moment, so that a crash loses no more than that.

    Args:
        draft: as it stands at first, which needs not be kept.
        keeps: whether any is kept; one that began as another session's must not take the place of the model's own.
    """

    def __init__(self, screen: BaseScreen[Any], draft: Draft, *, keeps: bool = True) -> None:
        self._draft = self._kept = draft
        self._keeps = keeps
        self._rest = Rest(screen, "keep", REST_S)

    def keep(self, draft: Draft) -> None:
        """Keeps this in place of what was kept, after a moment."""
        self._draft = draft
        self._rest.then(self._keep)

    def keep_now(self) -> None:
        """Keeps it without waiting. Where that cannot be it is as good as the screen: nothing depends on it."""
        if not self._keeps or _is_same(self._draft, self._kept):
            return
        self._kept = self._draft
        if _is_same(self._draft, first_draft(self._draft.model)):
            self.forget()
            return
        kept = _Kept(model=self._draft.model.name, values=self._draft.values, prompts=self._draft.prompts)
        with suppress(OSError, DctError, orjson.JSONEncodeError):
            file = _file(kept.model)
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(file, orjson.dumps(asdict(kept)))

    def forget(self) -> None:
        """Forgets what is kept: it was started, or is what one begins with anyway."""
        self._kept = self._draft
        if not self._keeps:
            return
        with suppress(OSError, DctError):
            _file(self._draft.model.name).unlink(missing_ok=True)

    async def _keep(self) -> None:
        self.keep_now()


def _is_same(one: Draft, other: Draft) -> bool:
    return (one.values, one.prompts) == (other.values, other.prompts)


def _file(model: str) -> Path:
    # A model's name may be a path.
    return data_root() / FOLDER / f"{hashlib.sha256(model.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}.json"


def _can_be(name: str, text: object, draft: Draft) -> bool:
    return isinstance(text, str) and name in draft.values and (name not in CHOICES or text in CHOICES[name])
