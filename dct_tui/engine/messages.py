"""What may be asked of an engine, and what it answers: JSON objects, one a line, both ways.

A request is `{"id": 7, "do": "fit", "with": {…}}`; `with` holds the fields of the dataclass of that name in `REQUESTS`.
Its answers carry the same id: any number of `{"id": 7, "event": {…}}`, then one `{"id": 7, "result": {…}}` or
`{"id": 7, "error": {"message": …, "hint": …, "kind": …}}`, `kind` being the name of the error's class.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from dct_tui.sessions.rack import RackEntry
from dct_tui.sessions.selection import Selection


class Request(Protocol):
    """Anything that may be asked: one of the dataclasses in `REQUESTS`."""

    @property
    def do(self) -> str:
        """The name it is sent under."""


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """A model as a person chooses it; the fields are those of `open_model`."""

    name: str
    dtype: str = "auto"
    device: str | None = None
    device_map: str | None = None
    revision: str | None = None
    trust_remote_code: bool = False
    allow_pickle: bool = False


@dataclass(frozen=True, kw_only=True)
class FitChoice:
    """A fit as a person chooses it; the fields are those of `FitRequest`, None meaning its default."""

    prompts: tuple[str, ...]
    validation: tuple[str, ...] | None = None
    system: str | None = None
    source: int | None = None
    target: int | None = None
    method: str = "exponential"
    factors: int | None = None
    iterations: int | None = None
    orthogonalisation: str = "polar"
    scale: float | None = None
    seed: int = 0
    target_positions: int = 3
    row_batch: int | None = None


@dataclass(frozen=True, kw_only=True)
class SamplingChoice:
    """How replies are drawn; temperature 0 is greedy."""

    max_new_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


# Answered at once, with or without a model


@dataclass(frozen=True, kw_only=True)
class Hello:
    """Who are you? Result: `EngineState`."""

    do: ClassVar[str] = "hello"


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Tell every change of state. Events: `EngineState`; ends when it is cancelled.

    With `job`, a `JobState.id`: what that job tells; a reply's from the start, after `{"rack": …, "compare": …}`.
    """

    do: ClassVar[str] = "watch"
    job: int | None = None


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Stop the job that the request of this connection with that id began. What it has made so far is kept."""

    do: ClassVar[str] = "cancel"
    job: int


@dataclass(frozen=True, kw_only=True)
class StopJob:
    """Stop a job by its `JobState.id`, whoever began it. What it has made so far is kept."""

    do: ClassVar[str] = "stop"
    job: int


@dataclass(frozen=True, kw_only=True)
class Quit:
    """End the engine. A running fit keeps its last finished iteration."""

    do: ClassVar[str] = "quit"


@dataclass(frozen=True, kw_only=True)
class Models:
    """What can be opened on this machine. Result: `{"models": [ModelSummary, …]}`."""

    do: ClassVar[str] = "models"


@dataclass(frozen=True, kw_only=True)
class Inspect:
    """One model by name, path or hub id. Result: `{"model": ModelSummary}`; an error where it is not here."""

    do: ClassVar[str] = "inspect"
    name: str


@dataclass(frozen=True, kw_only=True)
class ForecastOf:
    """Memory and time of opening a model and, with `fit`, of fitting it. Result: `Forecast`."""

    do: ClassVar[str] = "forecast"
    model: ModelChoice
    fit: FitChoice | None = None


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Prompts as the model will see them. Only its tokenizer is opened.

    Result: `{"template": bool, "prompts": [{"tokens": [text, …], "targets": n, "special": [place, …], "unknown":
    [place, …]}, …]}`, the last `n` tokens of each being its target positions.
    """

    do: ClassVar[str] = "preview"
    model: ModelChoice
    prompts: tuple[str, ...]
    system: str | None = None
    target_positions: int = 3


@dataclass(frozen=True, kw_only=True)
class Download:
    """Fetch a hub model into the cache. Events: `{"file": …, "done": bytes, "of": bytes}`. Result: ModelSummary.

    Cancelled or cut off, it goes on from where it was when it is asked for again.
    """

    do: ClassVar[str] = "download"
    name: str
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class ControlFit:
    """`pause`, `go on`, `stop` (keep the last iteration, to be resumed) or `finish` (it ends here, and is fitted)."""

    do: ClassVar[str] = "control"
    session: str
    action: str


# Jobs on the model, one at a time; replies go before everything else, samples after


@dataclass(frozen=True, kw_only=True)
class Load:
    """Open a model. Events: `{"stage": "load", "part": …, "done": n, "of": n}`. Result: `EngineState`.

    `part` is `config`, `tokenizer`, `weights`, `device` or `proving`. Every job that has to open its model first sends
    these events too.
    """

    do: ClassVar[str] = "load"
    model: ModelChoice


@dataclass(frozen=True, kw_only=True)
class CalibrateOn:
    """Find R for a fit that is not begun yet. Result: `{"scale", "kind", "curve", "reference"}`."""

    do: ClassVar[str] = "calibrate"
    model: ModelChoice
    fit: FitChoice


@dataclass(frozen=True, kw_only=True)
class StartFit:
    """Fit into a new session. Goes on without us.

    Events: `{"stage", "done", "of"}`, with stage `waiting` and the `folder` it will be in while others go before;
    `{"session": path}` once its folder is there; then stages again.
    Result: `{"session": path}`. `session` None makes a new folder among the others.
    """

    do: ClassVar[str] = "fit"
    model: ModelChoice
    fit: FitChoice
    session: str | None = None
    expected: float | None = None
    """Seconds that it was said to take; kept beside what it takes."""


@dataclass(frozen=True, kw_only=True)
class ResumeFit:
    """Go on with a session's fit. Events and result as for `StartFit`. Goes on without us."""

    do: ClassVar[str] = "resume"
    session: str


@dataclass(frozen=True, kw_only=True)
class SampleFeatures:
    """Sample features into the session's journal, in this order; what is there is not made again. Goes on without us.

    Events: `{"made": n, "of": n}`. `prompts` None takes the session's own, the first `limit` of them. The unsteered
    texts come first. A newer request for the same session takes the place of this one.
    """

    do: ClassVar[str] = "sample"
    session: str
    features: tuple[int, ...]
    strengths: tuple[float, ...] = (1.0,)
    prompts: tuple[str, ...] | None = None
    limit: int | None = None
    sampling: SamplingChoice = field(default_factory=SamplingChoice)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A reply in a chat of a session, kept in its journal. Goes on without us.

    Events: `{"side": "steered" | "unsteered", "text": piece}`, pieces joined for about a tenth of a second.
    Result: `{"text": …, "unsteered": … | None, "ended": bool}`.

    Attributes:
        chat: the name of the chat's journal.
        text: what the person says; None answers the last message anew.
        keep: how many messages of the conversation stay (a message edited or an answer made anew cuts it there);
            None keeps all.
        compare: whether the unsteered model answers too, in the same batch and with the same seed.
    """

    do: ClassVar[str] = "reply"
    session: str
    chat: str
    text: str | None
    keep: int | None = None
    rack: tuple[RackEntry, ...] = ()
    system: str | None = None
    sampling: SamplingChoice = field(default_factory=lambda: SamplingChoice(max_new_tokens=256))
    compare: bool = False


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """What each feature does to the choice between two words. Result: `{"scores": [x, …]}`, by feature."""

    do: ClassVar[str] = "contrast"
    session: str
    towards: str
    away: str


@dataclass(frozen=True, kw_only=True)
class Export:
    """Write vectors of a session to files with its model open, or verify those that are there.

    Events: `{"stage": "writing" | "verifying", "done": n, "of": n}`.
    Result: `{"files": [{"path", "bytes", "sha256"}, …], "checks": [{"path", "what", "reader", "passed", "said"}, …]}`.

    Attributes:
        verify: whether nothing is written, but what was is read by the programs it is for.
    """

    do: ClassVar[str] = "export"
    session: str
    vectors: Selection
    formats: tuple[str, ...]
    folder: str
    combine: bool = False
    force: bool = False
    verify: bool = False


REQUESTS: dict[str, type[Request]] = {
    request.do: request
    for request in (
        Hello, Watch, Cancel, StopJob, Quit, Models, Inspect, ForecastOf, Preview, Download, ControlFit, Load,
        CalibrateOn, StartFit, ResumeFit, SampleFeatures, Reply, Contrast, Export,
    )
}  # fmt: skip
