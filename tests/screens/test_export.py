"""The export screen: what it foresees is what is written, and refusals say why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from benchmarks.synthetic import Size, mark
from benchmarks.synthetic import make_session as fitted_session
from dct_tui.export import FORMATS
from dct_tui.screens.app import Workbench
from dct_tui.screens.dialogs import Confirm
from dct_tui.screens.export import ExportScreen
from dct_tui.screens.export_plan import Choices, Planned, Refused, command_lines, counts, plan, vectors_of
from dct_tui.screens.export_words import size_words
from dct_tui.screens.widgets.changing_lines import ChangingLines
from dct_tui.screens.widgets.choice_list import ChoiceList
from dct_tui.screens.workspace import Workspace
from dct_tui.sessions import Session
from dct_tui.sessions.rack import RackEntry
from tests.screens.conftest import MakeSession
from tests.screens.looking import screen_text
from tests.screens.planning import until


@pytest.fixture
def session(home: Path) -> Session:
    """Eight features of which 1 and 4 are starred, fitted at block 8."""
    session = fitted_session(home / "sessions" / "one", Size(factors=8, width=16, sampled=0))
    mark(session, star=[4, 1])
    return session


def test_the_command_of_a_rack_has_all_that_is_on_it(session: Session) -> None:
    workspace = Workspace(session.path)
    workspace.rack = [
        RackEntry(features=(2,), strength=-0.5),
        RackEntry(features=(3,), mode="ablate output"),
        RackEntry(features=(4,), on=False),
    ]
    command = command_lines(workspace, Choices(which="rack"), [])[-1]
    assert command == f"dct-tui chat {session.path} --steer 2:-0.5 --ablate 3:u"


def test_what_can_be_chosen(session: Session) -> None:
    workspace = Workspace(session.path)
    workspace.selected = frozenset({7, 2, 3})
    workspace.rack = [RackEntry(features=(1,)), RackEntry(features=(2,), on=False)]
    assert counts(workspace) == {"starred": 2, "selected": 3, "rack": 1, "all": 8}
    chosen = {
        which: [vector.feature for vector in vectors_of(workspace, Choices(which=which, numbers="0,5-6"))]  # type: ignore[arg-type]
        for which in ("starred", "selected", "rack", "all", "numbers")
    }
    assert chosen == {
        "starred": [1, 4],
        "selected": [2, 3, 7],
        "rack": [1],
        "all": list(range(8)),
        "numbers": [0, 5, 6],
    }


@pytest.mark.parametrize("form", ["safetensors", "npz", "gguf"])
async def test_what_is_foreseen_is_written(session: Session, tmp_path: Path, form: str) -> None:
    workspace = Workspace(session.path)
    choices = Choices(which="starred", formats=frozenset({form}), folder=str(tmp_path / "out"))
    planned = plan(workspace, choices, vectors_of(workspace, choices))
    app = Workbench(session=session.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await app.action_go("export")
        await pilot.pause()
        choose(app, formats=choices.formats, folder=choices.folder)
        await pilot.pause()
        assert "enter writes" in screen_text(app)
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert f"✓ {len(planned)} file" in screen_text(app)
    for file in planned:
        assert isinstance(file, Planned) and file.exact and file.path.stat().st_size == file.bytes


def choose(app: Workbench, **changes: object) -> None:
    screen = app.screen
    assert isinstance(screen, ExportScreen) and screen.choices is not None
    screen.choose(replace(screen.choices, **changes))  # type: ignore[arg-type]


async def test_the_whole_way_by_keys(session: Session) -> None:
    app = Workbench(session=session.path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("5")
        await pilot.pause()
        text = screen_text(app)
        assert "starred: 2 vectors" in text and "enters block 8" in text and "direction.7" in text
        await pilot.press("n", "backspace", *"2,5", "enter", "s", "backspace", *"0.5", "enter")
        await pilot.pause()
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        file = session.exports / "one-2-vectors.safetensors"
        arrays = safetensors.numpy.load_file(file)
        np.testing.assert_array_equal(arrays["V"], session.read_fit().V[:, [2, 5]])
        np.testing.assert_array_equal(arrays["strength"], np.float32([0.5, 0.5]))
        assert "✓ 1 file" in screen_text(app)
        before = file.stat().st_mtime_ns
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, Confirm), "what is there is asked for"
        await pilot.press("n")
        assert file.stat().st_mtime_ns == before
        await pilot.press("enter", "y")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert file.stat().st_mtime_ns > before


async def test_a_path_or_a_command_is_copied(session: Session, home: Path) -> None:
    app = Workbench(session=session.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("5")
        await pilot.pause()
        await pilot.press("y", "enter")
        await app.workers.wait_for_complete()
        assert (home / "clipboard.txt").read_text() == (
            f"dct-tui export {session.path} --features 1,4 --format safetensors --out {session.exports} --strength 1"
        )


def test_an_ablation_is_no_control_vector(session: Session) -> None:
    workspace = Workspace(session.path)
    choices = Choices(which="starred", way="ablate the input directions", formats=frozenset({"gguf", "safetensors"}))
    planned = plan(workspace, choices, vectors_of(workspace, choices))
    assert [type(file) for file in planned] == [Planned, Refused]
    refused = planned[1]
    assert isinstance(refused, Refused) and refused.form == "gguf" and "only adds" in refused.why


async def test_a_refused_format_is_told_and_the_others_are_written(session: Session) -> None:
    app = Workbench(session=session.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("5")
        await pilot.pause()
        choose(app, way="ablate the output directions", formats=frozenset({"gguf", "safetensors"}))
        await pilot.pause()
        assert "[x] gguf             ✗ refuses what is chosen" in screen_text(app)
        await pilot.press(*"jjjjjj")
        await until(pilot, "the gguf format only adds")
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "gguf was not written" in screen_text(app)
        assert [path.suffix for path in session.exports.iterdir() if path.suffix != ".json"] == [".safetensors"]


async def test_one_page_of_80_by_24_has_the_choices_the_files_and_the_key(session: Session, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 20) / "exports"
    app = Workbench(session=session.path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("5")
        await pilot.pause()
        choose(app, folder=str(folder), formats=frozenset({"gguf", "npz", "safetensors", "python"}))
        await pilot.pause()
        text = screen_text(app)
        for shown in (
            "starred: 2 vectors",
            "longlong/exports",
            "[x] gguf             2 files",
            "[ ] model",
            "[ ] combine",
        ):
            assert shown in text
        assert (
            "enter writes 5 files" in text and "one-feature-4.gguf" in text and "enter write" in text.splitlines()[-1]
        )
        form = app.screen.query_one(ChoiceList)
        assert form.cursor == 0 and len(form.rows_in_view) == form.row_count()
        # The whole folder is told where the cursor is on it.
        await pilot.press("j", "j", "j")
        await until(pilot, lambda: str(folder) in "".join(line.strip() for line in screen_text(app).splitlines()))


@pytest.mark.parametrize("width", [80, 110, 120])
async def test_where_it_goes_is_never_cut_at_its_end(session: Session, width: int) -> None:
    app = Workbench(session=session.path)
    async with app.run_test(size=(width, 30)) as pilot:
        await pilot.pause()
        await pilot.press("5")
        await pilot.pause()
        follows = app.screen.query_one("#export-preview", ChangingLines)
        said = ["".join(text for text, _ in line) for line in follows.lines]
        assert any("into " in line and line.endswith("one/exports") for line in said)
        assert max(map(len, said)) <= follows.size.width < width - 1


async def test_descriptions_of_formats_are_shown_whole(session: Session) -> None:
    app = Workbench(session=session.path)
    for size in ((80, 24), (110, 30)):
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await pilot.press("5")
            await pilot.pause()
            choose(app, formats=frozenset())
            await pilot.pause()
            assert all(form.description in screen_text(app) for form in FORMATS.values())
        app = Workbench(session=session.path)


async def test_features_and_what_is_done_with_them_are_chosen_from_lists(session: Session) -> None:
    app = Workbench(session=session.path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.opened().rack = [RackEntry(features=(2,), strength=-0.5)]
        await pilot.press("5")
        await pilot.pause()
        await pilot.press("space")
        await until(pilot, "those you gave a star")
        await pilot.press("G", "enter", "backspace", *"0-2", "enter")
        await until(pilot, "0-2: 3 vectors")
        await pilot.press("j", "space", "j", "j", "enter")
        await until(pilot, "ablate the input directions")
        await pilot.press("k", "space", "g", "j", "j", "enter")
        await until(pilot, "rack: 1 vector")
        assert "2:-0.5" in screen_text(app)
        await pilot.press("s")
        await until(pilot, "the rack says itself")


async def test_large_exports_are_reckoned_rather_than_built(home: Path) -> None:
    session = fitted_session(home / "sessions" / "one", Size(factors=512, width=64, sampled=0))
    workspace = Workspace(session.path)
    wide = Choices(which="all", formats=frozenset({"gguf"}))
    planned = [file for file in plan(workspace, wide, vectors_of(workspace, wide)) if isinstance(file, Planned)]
    small = Choices(which="numbers", formats=frozenset({"gguf"}))
    (one,) = plan(workspace, small, vectors_of(workspace, small))
    assert isinstance(one, Planned) and one.exact
    assert len(planned) == 512
    assert all(abs(file.bytes - one.bytes) < 0.5 * one.bytes for file in planned)


async def test_before_the_fit_there_is_nothing_to_export(make_session: MakeSession) -> None:
    app = Workbench(session=make_session("bare").path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("5")
        await pilot.pause()
        assert "there are no features yet" in screen_text(app)


@pytest.mark.parametrize(("text", "told"), [("x", "is not a strength"), ("0", "does nothing"), ("inf", "does nothing")])
async def test_strengths_that_are_none(session: Session, text: str, told: str) -> None:
    app = Workbench(session=session.path)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("5")
        await pilot.pause()
        await pilot.press("s", "backspace", *text, "enter")
        await pilot.pause()
        assert told in screen_text(app)


@pytest.mark.parametrize(
    ("size", "words"), [(5, "5 B"), (999, "999 B"), (2048, "2.0 KB"), (5_250_000, "5.2 MB"), (3 * 10**9, "3.0 GB")]
)
def test_sizes(size: int, words: str) -> None:
    assert size_words(size) == words
