from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from dct_tui.screens.widgets.rack_list import RackList
from dct_tui.sessions.rack import RackEntry

ENTRIES = (RackEntry(features=(3,)), RackEntry(features=(1, 2), strength=-0.5, on=False))


class Racks(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.rack = RackList(lambda feature: f"words[b] of {feature}")
        self.changes = 0
        self.refusals: list[str] = []
        self.additions = 0

    def compose(self) -> ComposeResult:
        yield self.rack

    def on_mount(self) -> None:
        self.rack.show(ENTRIES)
        self.rack.focus()

    def on_rack_list_changed(self) -> None:
        self.changes += 1

    def on_rack_list_refused(self, event: RackList.Refused) -> None:
        self.refusals.append(event.why)

    def on_rack_list_add_asked(self) -> None:
        self.additions += 1


def lines(rack: RackList) -> list[str]:
    return [rack.render_line(y).text.rstrip() for y in range(1 + len(rack.entries))]


@pytest.mark.parametrize(
    ("keys", "first"),
    [
        (["plus"], "3:+1.1"),
        (["equals_sign"], "3:+1.1"),
        (["plus"] * 7 + ["minus"] * 20, "3:-0.3"),
        (["greater_than_sign", "greater_than_sign", "less_than_sign"], "3:+1.5"),
        (["0"], "3:+0"),
        (["m"], "3:-1"),
        (["0", "m"], "3:+0"),
        (["a"], "3:u"),
        (["a", "a"], "3:v"),
        (["a", "a", "a"], "3:+1"),
    ],
)
async def test_keys_tune_an_entry(keys: list[str], first: str) -> None:
    app = Racks()
    async with app.run_test(size=(50, 10)) as pilot:
        await pilot.press(*keys)
        assert str(app.rack.entries[0]) == first and app.rack.entries[1] == ENTRIES[1]
        assert app.changes == len(keys)


async def test_on_and_off_and_all_of_it() -> None:
    app = Racks()
    async with app.run_test(size=(50, 10)) as pilot:
        assert app.rack.in_force == ENTRIES[:1] and "1 of 2 on" in lines(app.rack)[0]
        await pilot.press("j", "space")
        assert [entry.on for entry in app.rack.entries] == [True, True]
        assert [line[1] for line in lines(app.rack)[1:]] == ["●", "●"]
        await pilot.press("b")
        assert app.rack.in_force == () and "bypassed" in lines(app.rack)[0]
        await pilot.press("b", "k", "space")
        assert app.rack.in_force == app.rack.entries[1:] and lines(app.rack)[1][1] == "○"


async def test_entries_are_taken_off_to_the_last() -> None:
    app = Racks()
    async with app.run_test(size=(50, 10)) as pilot:
        await pilot.press("j", "d")
        assert app.rack.entries == ENTRIES[:1] and app.rack.cursor == 0
        await pilot.press("d", "d", "plus", "space")
        assert app.rack.entries == () and "n adds" in app.rack.render_line(1).text
        assert len(app.refusals) == 2
        await pilot.press("n")
        assert app.additions == 1


async def test_an_ablation_has_no_strength() -> None:
    app = Racks()
    async with app.run_test(size=(50, 10)) as pilot:
        await pilot.press("a", "plus", "m", "0")
        assert str(app.rack.entries[0]) == "3:u" and len(app.refusals) == 3
        assert "ablate out" in lines(app.rack)[1]


async def test_rows_stand_one_under_the_other() -> None:
    app = Racks()
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.press("a")
        _, first, second = lines(app.rack)
        assert first.index("ablate") == second.index("-0.5")
        assert first.index("words[b] of 3") == second.index("words[b] of 1")
