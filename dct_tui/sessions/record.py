"""`session.json`: everything needed to say what a session is and to make it again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import orjson

from dct_tui.errors import DctError, SessionDamaged

from .decode import decode
from .layout import RECORD_FILE
from .regular import read_regular
from .schema import SCHEMA, upgrade

__all__ = [
    "FitSettings",
    "ModelSpec",
    "PromptSet",
    "SessionRecord",
    "Slice",
    "Status",
    "now",
    "prompts_sha256",
    "read_record",
]

Status: TypeAlias = Literal["created", "fitting", "stopped", "failed", "fitted"]
"""`fitting` in a folder whose fit lock is free means that the process died: it can be resumed like `stopped`."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """The model, as asked for and as found."""

    spec: str
    """What the user named: a folder, a hub id, or `builtin`."""
    path: str
    """The folder it was read from."""
    commit: str | None = None
    """The hub commit, where there is one."""
    config_sha256: str
    weights_sha256: str
    """Of the weight files' names, sizes, beginnings and ends: enough to tell other weights, and quick on large ones."""
    model_type: str
    """transformers' `config.model_type`, such as `qwen2`."""
    depth: int
    """Number of blocks."""
    width: int
    """d, the size of the residual stream."""
    dtype: str
    device: str = "cpu"
    trust_remote_code: bool = False


@dataclass(frozen=True)
class Slice:
    """Blocks `source … target-1`; vectors are added to what enters block `source` (0-based)."""

    source: int
    target: int


@dataclass(frozen=True, kw_only=True)
class PromptSet:
    """The prompts of a session: those fitted on, and those on which features are judged and selected."""

    fit: tuple[str, ...]
    validation: tuple[str, ...] = ()
    system: str | None = None
    fit_sha256: str
    validation_sha256: str

    def __post_init__(self) -> None:
        for name in ("fit", "validation"):
            if getattr(self, f"{name}_sha256") != prompts_sha256(getattr(self, name)):
                raise ValueError(f"the {name} prompts are not those of {name}_sha256")

    @classmethod
    def of(cls, fit: Sequence[str], validation: Sequence[str] = (), system: str | None = None) -> PromptSet:
        """The set of these prompts, hashed."""
        return cls(
            fit=tuple(fit),
            validation=tuple(validation),
            system=system,
            fit_sha256=prompts_sha256(fit),
            validation_sha256=prompts_sha256(validation),
        )


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """What was asked of the fit. `scale` None means that R is calibrated; `options` holds what a method adds."""

    method: str
    factors: int
    iterations: int
    orthogonalisation: str
    seed: int
    scale: float | None = None
    target_positions: int = 3
    """Δ is averaged over the last so many tokens of each templated prompt."""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SessionRecord:
    """The contents of `session.json`."""

    schema: int = SCHEMA
    name: str
    """The name the session was made under; a renamed folder goes by its new name."""
    created: str
    """UTC, ISO 8601."""
    model: ModelSpec
    slice: Slice
    prompts: PromptSet
    fit: FitSettings
    status: Status = "created"
    failure: str | None = None
    """Why the fit failed, in one line."""
    calibration: dict[str, Any] | None = None
    """The report of the calibration of R, where there was one."""
    row_batch: int | None = None
    """Rows evaluated at once in the fit: part of what makes it repeatable."""
    versions: dict[str, Any] = field(default_factory=dict)
    """Package name → version, of what ran the fit."""

    def __post_init__(self) -> None:
        if not 0 <= self.slice.source < self.slice.target <= self.model.depth:
            raise ValueError(
                f"the slice {self.slice.source} to {self.slice.target} is none of {self.model.depth} blocks"
            )

    def encode(self) -> bytes:
        """The bytes of `session.json`."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def decode(cls, data: bytes, where: str) -> SessionRecord:
        """The record from the bytes of a `session.json`; `where` names it in errors.

        Raises:
            SessionDamaged: not JSON, or a field is missing, unknown or of the wrong kind: the error names it.
            SchemaTooNew: written by a newer program.
        """
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise SessionDamaged(f"{where} is not JSON: {error}") from error
        if not isinstance(document, dict):
            raise SessionDamaged(f"{where} should hold an object")
        return decode(cls, upgrade(document, where), where)

    def differences(self, other: SessionRecord) -> list[str]:
        """The settings in which a fit of `other` would differ from one of this record, as "factors 64, not 128"."""
        mine, theirs = self._settings(), other._settings()
        return [f"{key} {_short(theirs[key])}, not {_short(mine[key])}" for key in mine if mine[key] != theirs[key]]

    def _settings(self) -> dict[str, object]:
        return {
            "model": self.model.path,
            "model config": self.model.config_sha256,
            "model weights": self.model.weights_sha256,
            "commit": self.model.commit,
            "dtype": self.model.dtype,
            "source": self.slice.source,
            "target": self.slice.target,
            "fit prompts": self.prompts.fit_sha256,
            "validation prompts": self.prompts.validation_sha256,
            "system prompt": self.prompts.system,
            **orjson.loads(orjson.dumps(asdict(self.fit))),
        }


def read_record(folder: Path) -> SessionRecord:
    """The record of the session in a folder.

    Raises:
        DctError: there is no session.
        SessionDamaged, SchemaTooNew: it cannot be read.
    """
    file = folder / RECORD_FILE
    try:
        data = read_regular(file)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DctError(f"there is no session in {folder}", "`dct-tui sessions` lists those there are") from error
    except OSError as error:
        raise SessionDamaged(f"cannot read {file}: {error.strerror or error}", "check your rights") from error
    return SessionRecord.decode(data, str(file))


def prompts_sha256(prompts: Sequence[str]) -> str:
    """The hash by which a list of prompts is known: sha256 of its compact JSON, in UTF-8.

    Raises:
        DctError: a prompt that is not valid Unicode, as comes of bytes that are not UTF-8.
    """
    try:
        return hashlib.sha256(orjson.dumps(list(prompts))).hexdigest()
    except orjson.JSONEncodeError as error:
        raise DctError("a prompt is not valid Unicode", "save the prompts as UTF-8") from error


def now() -> str:
    """The time as it is written in session files."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:39] + "…"
