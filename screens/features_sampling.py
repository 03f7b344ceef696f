"""Samples made in the background: what is asked of the engine, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from dct_tui.engine.client import Job
from dct_tui.engine.errors import Cancelled
from dct_tui.engine.messages import SampleFeatures, SamplingChoice
from dct_tui.engine.registry import same_model
from dct_tui.errors import DctError
from dct_tui.sessions.samples import settings_key
from dct_tui.triage.settings import TriageSettings
from dct_tui.triage.triage import Triage

if TYPE_CHECKING:
    from .engine_link import EngineLink

Batch = tuple[tuple[int, ...], tuple[float, ...]]
"""Features and strengths of one request."""


class Sampler:
    """Keeps one request at the engine: first what is in view at the first strength, then at the others, then the rest
    of the list downwards. What the session holds is not asked for.

    Args:
        look: takes in what was sampled.

    Attributes:
        on: whether samples are made. It is so from the start where an engine holds the model already; a model is
            loaded only when a person asks for samples.
        problem: why it stopped, in one line.
    """

    def __init__(self, link: EngineLink, triage: Triage, settings: TriageSettings, look: Callable[[], object]) -> None:
        self.link, self.triage, self.settings, self.look = link, triage, settings, look
        self.on = False
        self.problem = ""
        self._asked_off = False
        self._job: Job | None = None
        self._view: tuple[int, ...] | None = None

    # Switched

    def wake(self) -> bool:
        """Switches itself on where an engine holds the model; whether it did so now."""
        spec = self.triage.session.record.model.spec
        if self.on or self._asked_off or self.problem or not self.triage.rows:
            return False
        self.on = any(engine.state is not None and same_model(spec, engine.state) for engine in self.link.held)
        return self.on

    def switch_on(self) -> None:
        """A person wants samples."""
        self.on, self._asked_off, self.problem = True, False, ""

    async def switch_off(self) -> None:
        """A person wants none; the request that runs is stopped."""
        self.on, self._asked_off, self._view = False, True, None
        if self._job is not None:
            await self._job.cancel()

    def renew(self) -> None:
        """There are other features or other settings now: what is missing is to be asked for anew."""
        self._view = None

    def stale(self, view: Sequence[int]) -> bool:
        """Whether a run should begin: none has yet, or what is in view now lacks samples."""
        if not self.on or not view or tuple(view) == self._view:
            return False
        return self._view is None or bool(self.missing(view, self.settings.strengths))

    async def run(self, view: Sequence[int], order: Sequence[int]) -> None:
        """Asks for samples until all are there. A later run takes the place of this one.

        Raises:
            DctError: as the engine said; it is switched off then.
        """
        self._view = tuple(view)
        try:
            for features, strengths in self.plan(view, order):
                engine = await self.link.engine(self.triage.session.record.model.spec)
                job = self._job = engine.begin(self._request(features, strengths))
                await job.result()
                # What was made is known before the next is asked for.
                self.look()
        except Cancelled:
            return
        except DctError as error:
            self.on, self.problem, self._view = False, str(error), None
            raise

    # What is missing

    def plan(self, view: Sequence[int], order: Sequence[int]) -> Iterable[Batch]:
        """The requests, one after the other; each is made up when the one before has ended."""
        strengths = self.settings.strengths
        last = order.index(view[-1]) + 1 if view and view[-1] in order else 0
        downwards = [*order[last:], *order[:last]]
        for features, doses in ((view, strengths[:1]), (view, strengths), (downwards, strengths)):
            if missing := self.missing(features, doses):
                yield tuple(missing), doses

    def missing(self, features: Iterable[int], strengths: Sequence[float]) -> list[int]:
        """Those of the features that lack a sample at one of the strengths."""
        prompts, key = self.prompts(), settings_key(asdict(self._sampling()))
        samples = self.triage.samples
        return [
            feature
            for feature in features
            if not all(
                samples.has((feature, float(strength), prompt, key)) for strength in strengths for prompt in prompts
            )
        ]

    def prompts(self) -> tuple[str, ...]:
        """On which features are sampled: the first of the validation prompts, or of those fitted on."""
        return tuple(dict.fromkeys(self.own_prompts()[: self.settings.prompts]))

    def own_prompts(self) -> tuple[str, ...]:
        """All prompts that features are to be sampled on: a person's own, or the session's."""
        if self.settings.texts:
            return self.settings.texts
        own = self.triage.session.record.prompts
        return own.validation or own.fit

    def _request(self, features: tuple[int, ...], strengths: tuple[float, ...]) -> SampleFeatures:
        return SampleFeatures(
            session=str(self.triage.session.path),
            features=features,
            strengths=strengths,
            prompts=self.settings.texts or None,
            limit=self.settings.prompts,
            sampling=self._sampling(),
        )

    def _sampling(self) -> SamplingChoice:
        return SamplingChoice(max_new_tokens=self.settings.max_new_tokens)
