from __future__ import annotations

from dataclasses import replace

import pytest

from dct_tui.errors import DctError
from dct_tui.jobs.request import FitRequest, prompt_set, record_of, request_of
from dct_tui.models.loading import LanguageModel
from dct_tui.sessions import SessionRecord


@pytest.fixture(scope="module")
def record(lm: LanguageModel) -> SessionRecord:
    request = FitRequest(prompts=prompt_set(["One", "Two"], [], None, 0), factors=4, scale=2.0, radii=(1.0, 1.5))
    return SessionRecord.decode(record_of(lm, request, "fit").encode(), "a record")


def with_options(record: SessionRecord, **options: object) -> SessionRecord:
    return replace(record, fit=replace(record.fit, options=options))


def test_a_record_keeps_the_radii_that_its_fit_goes_on_with(record: SessionRecord) -> None:
    assert request_of(record).config(64, 2.0).radii == (1.0, 1.5)


def test_a_fit_from_before_there_were_radii_goes_on_at_one(record: SessionRecord) -> None:
    assert request_of(with_options(record)).config(64, 2.0).radii == (1.0,)


@pytest.mark.parametrize("radii", [[], [0], ["1"], "1", None, {"1": 1}])
def test_damaged_radii_are_refused(record: SessionRecord, radii: object) -> None:
    with pytest.raises(DctError, match="the radii must be positive shares of R"):
        request_of(with_options(record, radii=radii)).config(64, 2.0)
