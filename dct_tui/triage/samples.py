"""The samples of a session as they arrive, by feature."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..features.texts import Request, request_of
from ..sessions import Sample
from ..sessions.decode import decode_all
from ..sessions.layout import SAMPLES_FILE
from ..sessions.samples import SampleKey
from .evidence import NONE, Evidence, read_evidence


class SampleStore:
    """All samples that were taken in. Of two answers to the same request the later counts.

    Attributes:
        plain: the unsteered samples, by prompt and settings.
        count: how many samples of features there are.
    """

    def __init__(self) -> None:
        self.plain: dict[Request, Sample] = {}
        self.count = 0
        self._of: dict[int, dict[SampleKey, Sample]] = {}
        self._asked_by: dict[Request, set[int]] = {}

    def take(self, records: Iterable[dict[str, Any]]) -> tuple[set[int], list[str]]:
        """Takes records of the journal in. Returns the features of which more is known now, and a notice for each
        record that could not be used.
        """
        samples, notices = decode_all(Sample, records, SAMPLES_FILE)
        touched: set[int] = set()
        for sample in samples:
            request = request_of(sample)
            if sample.feature is None:
                self.plain[request] = sample
                touched |= self._asked_by.get(request, set())
            else:
                own = self._of.setdefault(sample.feature, {})
                key = (sample.feature, sample.strength, *request)
                self.count += key not in own
                own[key] = sample
                self._asked_by.setdefault(request, set()).add(sample.feature)
                touched.add(sample.feature)
        return touched, notices

    def of(self, feature: int) -> list[Sample]:
        """The samples of a feature, in the order they were made."""
        return list(self._of.get(feature, {}).values())

    def unsteered(self, sample: Sample) -> Sample | None:
        """The unsteered counterpart of a sample."""
        return self.plain.get(request_of(sample))

    def evidence(self, feature: int) -> Evidence:
        """What the samples of a feature show."""
        own = self._of.get(feature)
        if not own:
            return NONE
        return read_evidence((sample, self.plain.get((key[2], key[3]))) for key, sample in own.items())

    def has(self, key: SampleKey) -> bool:
        """Whether a request is answered already."""
        return key[0] is not None and key in self._of.get(key[0], {})

    def features(self) -> set[int]:
        """The features that have samples."""
        return set(self._of)
