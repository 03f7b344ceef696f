"""The one model that an engine holds. Importing this file imports no torch: opening a model does."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dct_tui.sessions import Session, SessionRecord
from dct_tui.sessions.layout import RECORD_FILE

from ..messages import ModelChoice

if TYPE_CHECKING:
    from dct_tui.models.catalog import ModelSource
    from dct_tui.models.loading import LanguageModel

OnPart = Callable[[str, int, int], None]
"""Called with what of a model is being opened, how much of it is, and of how much. What it raises ends the opening."""


@dataclass(frozen=True)
class Held:
    """An open model, and by what it is known again.

    Attributes:
        choice: as it was opened, the name being that of its source.
        dtype: of its hidden states, as sessions record it.
        hashes: of its config and of its weights.
    """

    lm: LanguageModel
    choice: ModelChoice
    dtype: str
    hashes: tuple[str, str]


class Holder:
    """Holds a model, and opens another in its place. For the worker's thread; `name` and `loading` for any.

    Attributes:
        name: of the held model; None without one.
        device: where it is.
        loading: the name of the model that is being opened.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._held: Held | None = None
        self._suited: dict[tuple[str, int, int], bool] = {}
        self.name: str | None = None
        self.device: str | None = None
        self.loading: str | None = None

    def suits_session(self, path: Path) -> bool:
        """Whether the held model is the one that a session was fitted on. Raises DctError, OSError: it is gone."""
        held = self._held
        if held is None:
            return False
        # Asked at every token while a reply waits: read once. Another session may take the folder's place.
        about = (path / RECORD_FILE).stat()
        key = (str(path), about.st_ino, about.st_mtime_ns)
        if key not in self._suited:
            self._suited[key] = _is_of(held, Session.open(path).record)
        return self._suited[key]

    def suits_choice(self, choice: ModelChoice) -> bool:
        """Whether the held model is the one that is chosen."""
        return self.held_for(choice) is not None

    def held_for(self, choice: ModelChoice) -> LanguageModel | None:
        """The held model where it is the one that is chosen. For any thread, which is to read what does not change."""
        held = self._held
        return held.lm if held is not None and _is_chosen(held, choice) else None

    def for_choice(self, choice: ModelChoice, on_part: OnPart) -> LanguageModel:
        """The chosen model, opened where it is not held.

        Raises:
            DctError: it cannot be opened. Then none is held.
        """
        held = self._held
        if held is not None and _is_chosen(held, choice):
            return held.lm
        from dct_tui.models.catalog import find_model

        find_model(choice.name, choice.revision)  # Before the old one is let go: a slip of the pen costs nothing.
        return self._open(choice, lambda: _open_choice(choice, on_part))

    def for_session(self, session: Session, on_part: OnPart) -> LanguageModel:
        """The model of a session, opened where it is not held.

        Raises:
            DctError: it is gone, is another one now, or cannot be opened. Then none is held.
        """
        held, record = self._held, session.record
        if held is not None and _is_of(held, record):
            return held.lm
        choice = ModelChoice(name=record.model.spec, revision=record.model.commit, dtype=record.model.dtype)
        return self._open(choice, lambda: _open_session(session, on_part))

    def let_go(self) -> None:
        """Frees the held model's memory."""
        self._held, self.name, self.device = None, None, None
        self._suited.clear()
        gc.collect()
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def freed(self, device: str | None) -> int:
        """Bytes of a device (None: the default one) that letting go of the held model would free."""
        held = self._held
        if held is None:
            return 0
        from dct_tui.models.loading import default_device

        here = (device or default_device()).partition(":")[0] == held.lm.device.type
        return int(held.lm.model.get_memory_footprint()) if here else 0

    def memory(self) -> int:
        """Bytes in use: of the model's device where there is one, else of the process."""
        held = self._held
        if held is not None:
            from dct_tui.jobs.memory import bytes_in_use

            return bytes_in_use(held.lm.device)
        from dct_tui.jobs.resident import resident_bytes

        return resident_bytes()

    def _open(self, choice: ModelChoice, opened: Callable[[], LanguageModel]) -> LanguageModel:
        self.let_go()
        self.loading = choice.name
        self._on_change()
        try:
            lm = opened()
            self._held = _held(lm, choice)
            self.name, self.device = lm.source.name, str(lm.device)
        finally:
            self.loading = None
            self._on_change()
        return lm


def _open_choice(choice: ModelChoice, on_part: OnPart) -> LanguageModel:
    from dct_tui.models.loading import open_model

    return open_model(
        choice.name,
        dtype=choice.dtype,  # type: ignore[arg-type]  # checked where it is opened
        device=choice.device,
        device_map=choice.device_map,
        revision=choice.revision,
        trust_remote_code=choice.trust_remote_code,
        allow_pickle=choice.allow_pickle,
        on_progress=on_part,
    )


def _open_session(session: Session, on_part: OnPart) -> LanguageModel:
    from dct_tui.jobs.reopen import reopen_model

    # Code that comes with a model is trusted by a person, not by a folder: Load with that choice comes first.
    return reopen_model(session, on_progress=on_part)


def _held(lm: LanguageModel, choice: ModelChoice) -> Held:
    return Held(
        lm=lm,
        choice=replace(choice, name=lm.source.name),
        dtype=str(lm.dtype).removeprefix("torch."),
        hashes=_hashes(lm.source),
    )


def _hashes(source: ModelSource) -> tuple[str, str]:
    from dct_tui.jobs.request import config_sha256, weights_sha256

    return config_sha256(source), weights_sha256(source)


def _is_of(held: Held, record: SessionRecord) -> bool:
    model = record.model
    return (
        held.lm.source.name == model.spec
        and held.lm.source.commit == model.commit
        and held.dtype == model.dtype
        and held.hashes == (model.config_sha256, model.weights_sha256)
    )


def _is_chosen(held: Held, choice: ModelChoice) -> bool:
    from dct_tui.errors import DctError
    from dct_tui.models.catalog import find_model

    try:
        source = find_model(choice.name, choice.revision)
    except DctError:
        return False
    mine = held.choice
    placed = (mine.device, mine.device_map) == (choice.device, choice.device_map)
    trusted = (not mine.trust_remote_code or choice.trust_remote_code) and mine.allow_pickle <= choice.allow_pickle
    if source != held.lm.source or not placed or not trusted:
        return False
    try:
        # Other weights may lie in the same folder by now, or none.
        return _dtype(choice, source, held) == held.dtype and _hashes(source) == held.hashes
    except OSError:
        return False


def _dtype(choice: ModelChoice, source: ModelSource, held: Held) -> str:
    """The dtype in which that choice would be opened where the held model is."""
    from dct_tui.models.loading import DTYPES
    from dct_tui.models.summary import summarise

    if choice.dtype in DTYPES:
        return str(DTYPES[choice.dtype]).removeprefix("torch.")
    if held.choice.dtype == "auto":
        return held.dtype
    return "float32" if held.lm.device.type == "cpu" else summarise(source).dtype or "float32"
