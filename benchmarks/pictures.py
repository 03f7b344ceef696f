"""The README's pictures, made by the program itself on the built-in model: `python -m benchmarks.pictures`

Takes about two minutes on two cores: a fit, samples of its strongest features, and a chat, then one SVG a screen.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

from benchmarks.svg import steady
from dct_tui import fit, open_model, sample
from dct_tui.engine.client import Engine
from dct_tui.errors import DctError
from dct_tui.jobs.chat_job import start_chat
from dct_tui.models.language_model import LanguageModel
from dct_tui.prompts import read_prompts
from dct_tui.screens.app import Workbench
from dct_tui.screens.workspace import Workspace
from dct_tui.sessions import Mark, Session
from dct_tui.sessions.chats import ChatLog
from dct_tui.sessions.rack import RackEntry

ROOT = Path(__file__).parent.parent
PROMPTS = ROOT / "assets" / "prompts"
SIZE = (110, 32)
SAMPLED, PROMPTS_EACH = 20, 4
PIRATE, STORY, REFUSAL = 2, 29, 28
"""Features of the fit with seed 0, as `dct-tui demo` names them."""
PICTURES = {
    "home": ("home", ()),
    "fit": ("fit", ()),
    "features": ("features", ("j", "j")),
    "chat": ("chat", ()),
    "export": ("export", ()),
    "help": ("features", ("question_mark",)),
}
"""For each picture the place, and the keys that are pressed there."""


def main() -> None:
    """Makes the session, then the pictures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures", help="the folder they go to")
    parser.add_argument("--home", type=Path, help="keep the session in this folder, or use the one there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        home = options.home or Path(temporary)
        os.environ["DCT_TUI_HOME"] = str(home)
        path = home / "sessions" / "hidden-behaviours"
        if not (path / "chats").exists():
            make_session(open_model("builtin"), path)
        options.out.mkdir(parents=True, exist_ok=True)
        for name, (place, keys) in PICTURES.items():
            svg = asyncio.run(picture(path, place, keys))
            (options.out / f"{name}.svg").write_text(svg, encoding="utf-8")
            print(options.out / f"{name}.svg")


def make_session(lm: LanguageModel, path: Path) -> None:
    """A session in the midst of being judged."""
    texts, held = (read_prompts(PROMPTS / f"builtin-{name}.txt") for name in ("fit", "validation"))
    session = Session.open(path) if path.exists() else fit(lm, texts, validation=held, factors=64, session=path)
    strongest = [one["index"] for one in sorted(session.read_features(), key=lambda one: one["rank"])[:SAMPLED]]
    features = sorted({*strongest, PIRATE, STORY, REFUSAL}, key=[*strongest, PIRATE, STORY, REFUSAL].index)
    for _ in sample(lm, session, features, held[:PROMPTS_EACH], strengths=(1.0, 0.6, 1.4)):
        pass
    odd = [feature for feature in strongest if feature not in (PIRATE, STORY, REFUSAL)]
    with session.writing("marks"):
        for mark in (
            Mark("star", (PIRATE, STORY, REFUSAL)),
            Mark("tag", (PIRATE,), "pirate"),
            Mark("tag", (STORY,), "story"),
            Mark("reject", (odd[0], odd[3])),
        ):
            session.marks.append(mark.encode())
    chat(lm, session)


def chat(lm: LanguageModel, session: Session) -> None:
    """A chat with the pirate, and with the story beside it."""
    pirate, story = RackEntry(features=(PIRATE,)), RackEntry(features=(STORY,), strength=0.8, on=False)
    Workspace(session.path).rack = (pirate, story)
    with session.writing("chats"):
        talk = start_chat(lm, session, (pirate,), log=ChatLog(session.chat("20260102-1")))
        for text in ("where does the swan live?", "what does the deer eat?"):
            for _ in talk.say(text):
                pass


async def picture(session: Path, place: str, keys: tuple[str, ...]) -> str:
    """One screen as an SVG, at a fixed size and always in the same theme."""

    async def no_engine(model: str | None) -> Engine:
        raise DctError("pictures are made without an engine")

    app = Workbench(no_engine, session, theme="dark")
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0.5)
        await app.action_go(place)
        await pilot.pause(0.5)
        await pilot.press(*keys)
        await pilot.pause(0.5)
        return steady(app.export_screenshot(title=f"dct-tui: {place}"))


if __name__ == "__main__":
    main()
