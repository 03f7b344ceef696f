"""What an engine answers, request by request, and what it tells of itself. Everything here is on the loop's thread."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dct_tui.errors import DctError
from dct_tui.paths import data_root
from dct_tui.sessions import find_session
from dct_tui.sessions.rack import in_words
from dct_tui.sessions.record import now

from .answers import EngineState, JobState
from .connection import Answers, Connection, Open
from .errors import Cancelled
from .messages import Cancel, ControlFit, Hello, Quit, Reply, SampleFeatures, StartFit, StopJob, Watch
from .registry import this_version
from .scheduler import Scheduler, Stop, Work
from .wire import Asked, problem
from .work.desk import Desk
from .work.holder import Holder
from .work.naming import planned_path, possible_paths
from .work.perform import BRIEF, GOING_ON, RANKS, perform
from .work.queued import make_session
from .work.side import ASIDE, SHOWN, Aside, aside

__all__ = ["Service"]

NOTES_EVERY_S = 0.5
MOST_ASIDES = 16
"""Each is a thread."""
REPLACED = "a newer request for the same session took its place"
log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Beside:
    """A request that is answered beside the jobs on the model."""

    state: JobState
    stopped: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raises Stop where it is to end."""
        if self.stopped.is_set():
            raise Stop


class Service:
    """An engine's head.

    Attributes:
        scheduler: its jobs on the model.
        last_active: the loop's time when something was last asked for or done.
    """

    def __init__(self, on_quit: Callable[[str], None], on_model: Callable[[str | None], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_quit, self._on_model = on_quit, on_model
        self.scheduler = Scheduler(self._notice)
        self._holder = Holder(self._notice)
        self._asides: list[_Beside] = []
        self._answers: dict[int, Answers] = {}
        self._ids = itertools.count(1)
        self._watchers: list[tuple[Connection, int]] = []
        self._started, self._home = now(), str(data_root())
        self._active = self._started
        self._told = self.state()
        self._told_at = -NOTES_EVERY_S
        self._later: asyncio.TimerHandle | None = None
        self._be_active()

    def state(self) -> EngineState:
        """What the engine is doing."""
        jobs = [work.seen() for work in self.scheduler.works()]
        shown = [one.state for one in tuple(self._asides) if one.state.do in SHOWN]
        return EngineState(
            pid=os.getpid(),
            version=this_version(),
            started=self._started,
            home=self._home,
            model=self._holder.name,
            device=self._holder.device,
            loading=self._holder.loading,
            jobs=(*jobs, *shown),
            memory=self._holder.memory(),
            active=self._active,
        )

    @property
    def is_busy(self) -> bool:
        """Whether anything runs or waits."""
        return bool(self.scheduler.works() or self._asides)

    def take(self, connection: Connection, asked: Asked) -> None:
        """Answers a request, or sees to it that it is answered. Raises DctError where it is refused."""
        request = asked.request
        if asked.id in connection.open:
            raise DctError(f"request {asked.id} is not answered yet", "give each its own id")
        if not isinstance(request, Hello | Watch):
            self._be_active()
        if isinstance(request, Watch):
            self._watch(connection, asked.id, request.job)
        elif type(request) in RANKS:
            self._begin(connection, asked)
        elif isinstance(request, ASIDE):
            self._begin_aside(connection, asked)
        else:
            connection.send(asked.id, "result", self._at_once(connection, request))

    def shut(self, why: str) -> None:
        """Stops everything."""
        for one in self._asides:
            one.stopped.set()
        self.scheduler.shut(why)

    def _at_once(self, connection: Connection, request: Any) -> Any:
        if isinstance(request, Hello):
            return self.state()
        if isinstance(request, Cancel):
            if request.job in connection.open:
                connection.open[request.job].stop()
        elif isinstance(request, StopJob):
            self._stop(request.job)
        elif isinstance(request, ControlFit):
            self._control(request)
        elif isinstance(request, Quit):
            self._loop.call_soon(self._on_quit, "somebody asked for it")
        return {}

    # Jobs on the model

    def _begin(self, connection: Connection, asked: Asked) -> None:
        request: Any = asked.request
        session, before = None, self.scheduler.works()
        # A new session's folder is made by its fit; every other session is there.
        if hasattr(request, "session") and not hasattr(request, "fit"):
            session = find_session(request.session).absolute()
            request = replace(request, session=str(session))
        elif isinstance(request, StartFit):
            # So that it is seen and can be stopped while it waits.
            session = planned_path(request, [work.session for work in before if work.session is not None])
        id, reply = next(self._ids), request if isinstance(request, Reply) else None
        opening = {"rack": in_words(reply.rack), "compare": reply.compare} if reply else None
        answers = Answers(self._loop, connection, asked.id, lambda: self._end(id), opening)
        work = Work(
            id=id,
            do=request.do,
            rank=RANKS[type(request)],
            perform=lambda work: self._perform(request, work),
            tell=answers.tell,
            end=answers.end,
            fits=lambda: self._fits(request),
            brief=isinstance(request, BRIEF),
            session=session,
            chat=reply.chat if reply else None,
        )
        if before and isinstance(request, StartFit) and session is not None:
            work.on_drop = make_session(request, session, self._holder)
            answers.tell({"stage": "waiting", "folder": str(session), "done": 0, "of": 1})
        self.scheduler.submit(work)
        self._answers[id] = answers
        connection.open[asked.id] = Open(lambda: self.scheduler.stop(work), isinstance(request, GOING_ON))
        if isinstance(request, SampleFeatures):
            for other in self.scheduler.works():
                if other is not work and other.do == work.do and other.session == session:
                    self.scheduler.stop(other, REPLACED)

    def _end(self, id: int) -> None:
        del self._answers[id]
        self._touch()

    def _perform(self, request: Any, work: Work) -> dict[str, Any]:
        return perform(request, Desk(work, self.scheduler, self._holder)) or asdict(self.state())

    def _fits(self, request: Any) -> bool:
        if hasattr(request, "model"):
            return self._holder.suits_choice(request.model)
        return self._holder.suits_session(find_session(request.session))

    def _stop(self, id: int) -> None:
        for work in self.scheduler.works():
            if work.id == id:
                return self.scheduler.stop(work)
        for one in self._asides:
            if one.state.id == id:
                return one.stopped.set()
        return None

    def _control(self, request: ControlFit) -> None:
        paths = possible_paths(request.session)
        fits = [work for work in self.scheduler.works() if work.session in paths and work.do in ("fit", "resume")]
        if not fits:
            name = find_session(request.session).name
            raise DctError(f"this engine is not fitting {name}", "`dct-tui engines` says what each is doing")
        if request.action in ("pause", "go on"):
            self.scheduler.pause(fits[0], request.action == "pause")
        elif request.action == "stop":
            self.scheduler.stop(fits[0])
        elif request.action == "finish":
            self.scheduler.finish(fits[0])
        else:
            raise DctError(f"a fit cannot {request.action!r:.20}", "choose pause, go on, stop or finish")

    # Beside them

    def _begin_aside(self, connection: Connection, asked: Asked) -> None:
        request: Any = asked.request
        if len(self._asides) >= MOST_ASIDES:
            raise DctError(f"{MOST_ASIDES} such questions are being answered already", "wait for one of them")
        one = _Beside(JobState(id=next(self._ids), do=request.do, state="running", note=getattr(request, "name", "")))
        answers = Answers(self._loop, connection, asked.id, lambda: self._end_aside(one))
        at_hand = Aside(answers.tell, one.check, self._holder.freed, at_rest=not self.scheduler.works())
        # A thread that hangs must not keep the engine from ending.
        thread = threading.Thread(target=_answer_aside, args=(request, at_hand, answers), daemon=True)
        thread.start()
        # Not before: one that could not be started would never end. Its answer waits for this loop.
        self._asides.append(one)
        connection.open[asked.id] = Open(one.stopped.set)
        self._notice()

    def _end_aside(self, one: _Beside) -> None:
        self._asides.remove(one)
        self._touch()

    # What is told

    def _watch(self, connection: Connection, id: int, job: int | None) -> None:
        if job is not None:
            if job in self._answers:
                self._answers[job].follow(connection, id)
            else:
                connection.send(id, "result", {})
            return
        watcher = (connection, id)

        def leave() -> None:
            self._watchers.remove(watcher)
            connection.send(id, "result", {})

        self._watchers.append(watcher)
        connection.open[id] = Open(leave)
        connection.send(id, "event", self.state())

    def _be_active(self) -> None:
        self.last_active, self._active = self._loop.time(), now()

    def _touch(self) -> None:
        self._be_active()
        self._tell()

    def _notice(self) -> None:
        """Something changed; called in any thread."""
        with contextlib.suppress(RuntimeError):  # The loop has ended before the thread.
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        """Tells a change of what is done at once, of how far it is twice a second, and of nothing else."""
        state = self.state()
        if (state.model, state.loading) != (self._told.model, self._told.loading):
            self._on_model(state.model or state.loading)
        if _without_notes(state) != _without_notes(self._told):
            self._publish(state)
        elif state.jobs != self._told.jobs and self._later is None:
            wait = max(0.0, self._told_at + NOTES_EVERY_S - self._loop.time())
            self._later = self._loop.call_later(wait, lambda: self._publish(self.state()))

    def _publish(self, state: EngineState) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self._told, self._told_at = state, self._loop.time()
        for connection, id in self._watchers:
            connection.send(id, "event", state)


def _answer_aside(request: Any, at_hand: Aside, answers: Answers) -> None:
    try:
        answers.end("result", aside(request, at_hand))
    except KeyboardInterrupt:
        answers.end("error", problem(Cancelled("it was stopped")))
    except DctError as error:
        answers.end("error", problem(error))
    except BaseException as error:
        log.exception("%s failed", request.do)
        answers.end("error", problem(error))


def _without_notes(state: EngineState) -> EngineState:
    return replace(state, memory=0, active="", jobs=tuple(replace(job, note="") for job in state.jobs))
