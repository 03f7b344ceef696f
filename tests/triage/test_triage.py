"""A session's triage: what the folder brings, what is listed, what is done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dct_tui.errors import DctError
from dct_tui.sessions import Session
from dct_tui.triage.filter_text import parse_filter
from dct_tui.triage.orders import Order
from dct_tui.triage.settings import TriageSettings, read_settings, write_settings
from dct_tui.triage.triage import Triage
from tests.fitted import PROMPTS, add_samples, feature_record, fitted_session, sample

SWAN = PROMPTS[0]
PLAIN = sample(None, "in the lake.")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return fitted_session(tmp_path / "one")


def test_samples_that_arrive_change_rows_and_not_their_places(session: Session) -> None:
    triage = Triage(session, Order("changed"))
    assert triage.look().listed and triage.shown == [0, 1, 2, 3, 4, 5]
    news = triage.look()
    assert (news.rows, news.listed, news.more) == (set(), False, False)
    add_samples(session, [PLAIN, sample(4, "arr")])
    assert triage.look().rows == {4}
    assert triage.rows[4].evidence.line == "arr" and triage.rows[4].changed == 1.0
    assert triage.shown == [0, 1, 2, 3, 4, 5] and triage.sampled() == 1
    triage.arrange()
    assert triage.shown == [4, 0, 1, 2, 3, 5]


def test_a_large_journal_comes_in_pieces(session: Session) -> None:
    add_samples(session, [PLAIN, *(sample(0, "x" * 50_000, strength=1 + k / 100) for k in range(60))])
    triage = Triage(session)
    looks = 1
    while triage.look().more:
        looks += 1
    assert looks > 2 and triage.samples.count == 60


def test_samples_of_no_feature_here_are_harmless(session: Session) -> None:
    add_samples(session, [PLAIN, sample(99, "arr")])
    assert Triage(session).look().rows == set()


def test_features_that_are_described_later(tmp_path: Path) -> None:
    session = fitted_session(tmp_path / "one", samples=[PLAIN, sample(1, "arr")])
    described = session.path / "features.json"
    kept = described.read_bytes()
    described.unlink()
    triage = Triage(session)
    assert triage.look().listed is False and triage.shown == []
    described.write_bytes(kept)
    assert triage.look().listed and triage.rows[1].evidence.line == "arr"


def test_filter_and_order(session: Session) -> None:
    triage = Triage(session)
    triage.look()
    triage.keep(parse_filter("kl>=2 !index:4"))
    assert triage.shown == [2, 3, 5]
    triage.sort(Order("effect"))
    assert triage.shown == [5, 3, 2]
    triage.mark("star", [5])
    triage.keep(parse_filter("starred"))
    triage.mark("clear", [5])
    assert triage.shown == [5], "a mark moves nothing"
    triage.set_contrast([3.0, 1.0, 2.0])
    triage.keep(parse_filter("contrast>0"))
    triage.sort(Order("contrast"))
    assert triage.shown == [0, 2, 1]


def test_a_filter_that_never_ends_leaves_the_list_as_it_was(tmp_path: Path) -> None:
    triage = Triage(fitted_session(tmp_path / "one", samples=[sample(1, "a" * 80 + "!")]))
    triage.look()
    triage.keep(parse_filter("kl>0"))
    with pytest.raises(DctError, match="too long"):
        triage.keep(parse_filter("/(a+)+$/"))
    assert triage.shown == [1, 2, 3, 4, 5] and triage.filter == parse_filter("kl>0")


def test_the_next_that_passes_round_the_ends(session: Session) -> None:
    triage = Triage(session)
    triage.look()
    triage.mark("star", [0, 1, 3, 4])
    unjudged = parse_filter("unjudged")
    assert [triage.next_where(place, 1, unjudged) for place in (0, 2, 5)] == [2, 5, 2]
    assert [triage.next_where(place, -1, unjudged) for place in (0, 2, 5)] == [5, 5, 2]
    assert triage.next_where(0, 1, parse_filter("rejected")) is None
    triage.mark("reject", [2])
    assert triage.next_where(5, 1, unjudged) == 5, "the only one there is"
    triage.keep(parse_filter("rejected !rejected"))
    assert triage.next_where(0, 1, unjudged) is None


def test_one_undo_takes_a_mark_of_many_back(session: Session) -> None:
    triage = Triage(session)
    triage.look()
    assert triage.mark("reject", [1, 2, 3, 77]) == {1, 2, 3}
    assert triage.count_words() == "0★ 3✗ · 3 left"
    assert triage.undo() == ("✗ on 3 features", {1, 2, 3})
    assert triage.count_words() == "0★ 0✗ · 6 left"
    assert triage.undo() == ("", set())
    assert triage.redo() == ("✗ on 3 features", {1, 2, 3})
    triage.mark("tag", [4], "rude")
    assert triage.undo() == ("tag rude on 4", {4})


def test_an_average_is_a_feature_like_others(session: Session) -> None:
    triage = Triage(session)
    triage.look()
    fitted = session.read_fit()
    assert triage.average([2, 0]) == 6 and triage.average([0, 2]) == 6, "made once"
    assert triage.look().listed
    row = triage.rows[6]
    assert row.members == (0, 2) and row.words[:3] == ("word0", "word2", "Shared") and row.kl is None
    assert triage.shown[-1] == 6
    fit = session.read_fit()
    for whole, before in ((fit.U, fitted.U), (fit.V, fitted.V)):
        mean = before[:, 0] + before[:, 2]
        np.testing.assert_allclose(whole[:, 6], mean / np.linalg.norm(mean), atol=1e-6)
        np.testing.assert_array_equal(whole[:, :6], before)
    assert fit.alpha[6] == (fitted.alpha[0] + fitted.alpha[2]) / 2
    assert triage.near(6)[0][0] in (0, 2)
    triage.mark("star", [6])
    assert triage.average([6, 1]) == 7, "of an average too"


def test_near_in_direction_is_the_largest_cosine(tmp_path: Path) -> None:
    V = np.random.default_rng(1).normal(size=(8, 6)).astype(np.float32)
    triage = Triage(fitted_session(tmp_path / "one", V=V))
    triage.look()
    unit = V / np.linalg.norm(V, axis=0)
    cosines = {other: float(unit[:, 2] @ unit[:, other]) for other in range(6) if other != 2}
    found = triage.near(2)
    assert [other for other, _ in found] == sorted(cosines, key=cosines.__getitem__, reverse=True)
    assert dict(found) == pytest.approx(cosines, abs=1e-6)


def test_settings_are_kept_and_spoilt_ones_are_the_default(tmp_path: Path) -> None:
    changed = TriageSettings(strengths=(2.0, -1.0), order="novelty", feature=3)
    write_settings(tmp_path, changed)
    assert read_settings(tmp_path) == changed
    for text in ("", "[]", '{"strengths": []}', '{"strengths": [0]}', '{"prompts": 0}', '{"other": 1}'):
        (tmp_path / "triage.json").write_text(text)
        assert read_settings(tmp_path) == TriageSettings(), text
    write_settings(tmp_path / "missing", changed)


def test_thousands_of_features(tmp_path: Path) -> None:
    session = fitted_session(tmp_path / "one", count=4096)
    assert len(feature_record(0, 1)) == 7
    triage = Triage(session)
    triage.look()
    triage.mark("reject", range(4096))
    assert triage.count_words() == "0★ 4096✗ · all judged"
    triage.undo()
    assert triage.count_words() == "0★ 0✗ · 4096 left"
