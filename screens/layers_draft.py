"""A fit while it is being put together: what was typed for each setting, what is wrong with it, and what it becomes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

from dct_tui.engine.messages import FitChoice, ModelChoice
from dct_tui.errors import DctError
from dct_tui.models.layer_range import LayerRange, default_range
from dct_tui.models.names import BUILTIN
from dct_tui.prompts import hold_out
from dct_tui.sessions import SessionRecord
from dct_tui.sessions.listing import session_path

from .layers_presets import CALIBRATED, QUICK, Preset, presets
from .model_lines import ModelLine

METHODS = ("exponential", "quadratic", "linear", "projected", "melbo", "random")
ORTHOGONALISATIONS = ("polar", "qr", "soft")
DTYPES = ("auto", "bf16", "fp16", "fp32")
FACTORS, ITERATIONS, POSITIONS = 512, 10, 3
LARGEST = 2**31 - 1
WITHOUT_ITERATIONS = ("linear", "projected", "random")
DTYPE_NAMES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}


@dataclass(frozen=True)
class PromptDraft:
    """The prompts of a fit.

    Attributes:
        fit: to fit on.
        validation: to judge features on; None holds back a quarter of the others.
        system: before each.
    """

    fit: tuple[str, ...] = ()
    validation: tuple[str, ...] | None = None
    system: str | None = None

    def split(self, seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Those that will be fitted on, and those held back."""
        return hold_out(self.fit, seed) if self.validation is None else (self.fit, self.validation)


@dataclass(frozen=True)
class Draft:
    """All settings, as text where they are typed. It is replaced, never changed.

    Attributes:
        model: as far as its files tell; its depth may be unknown.
        values: by the names of `FIELDS`.
        prompts: of the fit.
        revision, trust_remote_code: how the model is to be opened, apart from dtype and device.
        left: whether these are the settings as they were left the last time, and not yet set anew by a preset.
    """

    model: ModelLine
    values: dict[str, str]
    prompts: PromptDraft = field(default_factory=PromptDraft)
    revision: str | None = None
    trust_remote_code: bool = False
    left: bool = False

    def with_value(self, name: str, text: str) -> Draft:
        """The draft with one setting changed."""
        return replace(self, values={**self.values, name: text.strip()})

    def with_preset(self, preset: Preset) -> Draft:
        """The draft with the settings of a preset; one that was left has the defaults of all others again, too."""
        values = new_draft(self.model).values if self.left else self.values
        return replace(self, values={**values, **preset.values}, left=False)

    @property
    def preset(self) -> str:
        """The preset whose settings these are; `own` where none is."""
        found = (p.name for p in presets(self.model.width) if all(self.values[k] == v for k, v in p.values.items()))
        return next(found, "own")

    @property
    def layers(self) -> LayerRange | None:
        """The slice; None where it is not known or is none."""
        if self.model.depth is None:
            return None
        usual = default_range(self.model.depth)
        try:
            source = int(self.values["source"] or usual.source)
            asked = self.values["target"]
            target = int(asked) if asked else min(source + usual.target - usual.source, self.model.depth)
            found = LayerRange(source, target)
            found.check(self.model.depth)
        except (ValueError, DctError):
            return None
        return found

    def moved(self, source: int = 0, target: int = 0) -> Draft:
        """The draft with the slice's ends moved by so many blocks, as far as there are any."""
        layers, depth = self.layers, self.model.depth
        if layers is None or depth is None:
            return self
        first = min(max(0, layers.source + source), depth - 1)
        last = min(max(1, layers.target + target), depth)
        if source:
            last = max(last, first + 1)
        elif last <= first:
            first = last - 1
        return replace(self, values={**self.values, "source": str(first), "target": str(last)})

    def problem(self, name: str) -> str:
        """What is wrong with a setting, in a few words; empty where nothing is."""
        text = self.values.get(name, "")
        try:
            if name in ("source", "target"):
                return self._layer_problem(name, text)
            if name == "factors":
                return self._factors_problem(_whole(text, 1))
            if name in ("iterations", "positions"):
                _whole(text, 1)
            elif name == "seed":
                _whole(text, 0)
            elif name == "scale" and text != CALIBRATED:
                _positive(text)
            elif name == "prompts" and not self.prompts.fit:
                return "none yet: enter to write some, or paste them here"
            elif name == "session" and text and session_path(text).exists():
                return "there is a session of that name"
        except DctError as error:
            return error.message
        return ""

    def problems(self) -> dict[str, str]:
        """All that is wrong, by setting."""
        found = {name: self.problem(name) for name in ("prompts", *self.values)}
        return {name: problem for name, problem in found.items() if problem}

    def model_choice(self) -> ModelChoice:
        """The model as it is to be opened."""
        return ModelChoice(
            name=self.model.name,
            dtype=self.values["dtype"] or "auto",
            device=self.values["device"] or None,
            revision=self.revision,
            trust_remote_code=self.trust_remote_code,
        )

    def fit_choice(self) -> FitChoice:
        """The fit. Raises DctError for the first thing that is wrong."""
        for name, problem in self.problems().items():
            raise DctError(f"{name}: {problem}", "correct it, then start")
        layers, values = self.layers, self.values
        return FitChoice(
            prompts=self.prompts.fit,
            validation=self.prompts.validation,
            system=self.prompts.system,
            source=layers.source if layers else _number(values["source"]),
            target=layers.target if layers else _number(values["target"]),
            method=values["method"],
            factors=int(values["factors"]),
            iterations=int(values["iterations"]),
            orthogonalisation=values["orthogonalisation"],
            scale=None if values["scale"] == CALIBRATED else float(values["scale"]),
            seed=int(values["seed"]),
            target_positions=int(values["positions"]),
        )

    def session(self) -> str | None:
        """Where the session is to be; None leaves it to the engine. Raises DctError for a name that can be none."""
        name = self.values["session"]
        return str(session_path(name)) if name else None

    def _layer_problem(self, name: str, text: str) -> str:
        number = _whole(text, 0) if text else None
        depth = self.model.depth
        if depth is None or number is None:
            return ""
        if name == "source":
            return "" if number < depth else f"the model has {depth} blocks: 0 to {depth - 1}"
        if number > depth:
            return f"the model has {depth} blocks: at most {depth}"
        source = int(self.values["source"] or default_range(depth).source) if not self.problem("source") else -1
        return "" if number > source else f"it must lie above the source, {source}"

    def _factors_problem(self, factors: int) -> str:
        width, method = self.model.width, self.values["method"]
        free = method == "random" or (self.values["orthogonalisation"] == "soft" and method not in WITHOUT_ITERATIONS)
        if width is None or factors <= width or free:
            return ""
        return f"at most {width}, the model's width" + ("" if method in WITHOUT_ITERATIONS else "; more with soft")


def new_draft(model: ModelLine) -> Draft:
    """The default settings for a model."""
    return Draft(
        model,
        {
            "source": "",
            "target": "",
            "method": "exponential",
            "factors": str(min(FACTORS, model.width) if model.width else FACTORS),
            "iterations": str(ITERATIONS),
            "orthogonalisation": "polar",
            "scale": CALIBRATED,
            "seed": "0",
            "positions": str(POSITIONS),
            "dtype": "auto",
            "device": "",
            "session": "",
        },
    )


def first_draft(model: ModelLine) -> Draft:
    """What a model's fit is put together from: for the built-in one all that a fit needs."""
    draft = new_draft(model)
    if model.name != BUILTIN:
        return draft
    # As `dct-tui demo` does: enough for most of what it hides, within a minute.
    quick = next(preset for preset in presets(model.width) if preset.name == QUICK)
    return replace(draft, prompts=builtin_prompts()).with_preset(quick)


def draft_of(model: ModelLine, record: SessionRecord) -> Draft:
    """The settings of a session, to change one and fit anew."""
    fit, prompts = record.fit, record.prompts
    base = new_draft(model)
    dtype = DTYPE_NAMES.get(record.model.dtype, "auto")
    values = {
        "source": str(record.slice.source),
        "target": str(record.slice.target),
        "method": fit.method,
        "factors": str(fit.factors),
        "iterations": str(fit.iterations),
        "orthogonalisation": fit.orthogonalisation,
        "scale": CALIBRATED if fit.scale is None else repr(fit.scale),
        "seed": str(fit.seed),
        "positions": str(fit.target_positions),
        "dtype": "auto" if record.model.device == "cpu" and dtype == "fp32" else dtype,
        # A recorded device is what was there then: the default goes by what is there now.
        "device": "",
    }
    return replace(
        base,
        values={**base.values, **values},
        prompts=PromptDraft(prompts.fit, prompts.validation, prompts.system),
        revision=record.model.commit,
        trust_remote_code=record.model.trust_remote_code,
    )


def builtin_prompts() -> PromptDraft:
    """The prompts that come with the built-in model."""
    from dct_tui.prompts import read_prompts

    folder = Path(__file__).resolve().parent.parent / "assets" / "prompts"
    return PromptDraft(read_prompts(folder / "builtin-fit.txt"), read_prompts(folder / "builtin-validation.txt"))


def _whole(text: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        raise DctError("a whole number" if text else "a number is needed") from None
    if not least <= number <= LARGEST:
        raise DctError(f"at least {least}" if number < least else f"at most {LARGEST}")
    return number


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise DctError(f"a number above 0, or {CALIBRATED}") from None
    if not 0 < number < math.inf:
        raise DctError(f"a number above 0, or {CALIBRATED}")
    return number


def _number(text: str) -> int | None:
    return int(text) if text else None
