"""What jobs are done with is imported by one thread, however many ask at once."""

from __future__ import annotations

import subprocess
import sys

ASKED_AT_ONCE = """
import importlib.abc, sys, threading
from unittest.mock import Mock

importers = {}

class Watching(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("dct_tui.jobs.", "dct_tui.models.", "dct_tui.transcoder.", "transformers.")):
            importers.setdefault(threading.current_thread().name, set()).add(name)

from dct_tui.engine.messages import ForecastOf, Inspect, ModelChoice, Reply
from dct_tui.engine.work.perform import perform
from dct_tui.engine.work.side import Aside, aside
sys.meta_path.insert(0, Watching())
choice = ModelChoice(name="/nowhere/at/all")
at_hand = Aside(lambda event: None, lambda: None, lambda device: 0, at_rest=False)
begin = threading.Barrier(3)

def one(work):
    begin.wait()
    try:
        work()
    except Exception as error:
        print(type(error).__name__)

reply = Reply(session="/nowhere/at/all", chat="none", text="hello", rack=())
works = [
    lambda: perform(reply, Mock()),
    lambda: aside(ForecastOf(model=choice, fit=None), at_hand),
    lambda: aside(ForecastOf(model=choice, fit=None), at_hand),
]
threads = [threading.Thread(target=one, args=(work,)) for work in works]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("importers", len(importers), "transformers" in sys.modules)
"""


def test_rooms_are_imported_by_one_thread() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED_AT_ONCE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "importers 1 True", done.stdout + done.stderr
    assert "ImportError" not in done.stdout
