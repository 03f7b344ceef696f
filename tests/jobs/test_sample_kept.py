"""What of a journal of samples a request looks at."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from dct_tui.jobs.sample_job import _kept, all_wishes
from dct_tui.sessions import journal
from tests.fitted import PROMPTS, fitted_session, sample

TRAP = 'it said {"feature":7} and \\"feature\\": null'


def test_a_request_finds_its_samples_and_passes_over_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [sample(feature, TRAP, prompt) for feature in (None, 1, 7, 17, 71) for prompt in PROMPTS]
    session = fitted_session(tmp_path / "one", count=80, samples=made)
    # As another program may write it: other spaces, another order.
    record = dict(reversed(sample(7, TRAP, PROMPTS[0], 1.4).encode().items()))
    text = str(orjson.dumps(record, option=orjson.OPT_INDENT_2), "utf-8").replace("\n", " ")
    with session.samples.path.open("ab") as file:
        file.write(text.encode() + b"\n")
    read: list[bytes] = []
    parse = journal._object
    monkeypatch.setattr(journal, "_object", lambda line: read.append(line) or parse(line))
    found = _kept(session, all_wishes([7], [1.0, 1.4], PROMPTS[:1]))
    assert [(one.feature, one.strength, one.prompt) for one in found] == [
        (None, 0.0, PROMPTS[0]),
        (7, 1.0, PROMPTS[0]),
        (7, 1.4, PROMPTS[0]),
    ]
    assert {one.text for one in found} == {TRAP}
    assert len(read) == 5, "of those of other features none is"
