"""One session folder: made, opened, read by anyone, written by whoever holds the lock of the job."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from dct_tui.errors import DctError, SessionBusy, SessionDamaged
from dct_tui.paths import expand

from . import layout
from .atomic import remove_leftovers, write_atomic
from .decode import decode_all
from .feature_records import read_features, write_features
from .folder import check_still_there, make_folder, make_session_folder, unicode_path, unmake_session_folder
from .journal import Journal
from .locks import Holder, hold, holder
from .marks import Mark
from .record import SessionRecord, read_record
from .samples import Sample

# What knows numpy is imported where tensors are read: a list of sessions needs none, and is there the sooner.
if TYPE_CHECKING:
    from .averages import Average
    from .tensors import Checkpoint, FitTensors

__all__ = ["JOBS", "Job", "Session"]

Job: TypeAlias = Literal["fit", "samples", "marks", "averages", "chats"]
"""`fit` covers `session.json`, both tensor files, `features.json` and the progress; the others their journals."""
JOBS: tuple[Job, ...] = get_args(Job)


class Session:
    """A session folder. Opening it reads `session.json` only; the rest is read when asked for.

    Attributes:
        path: the folder.
        record: `session.json` as it was last read or written here.
        resumed: whether `create` found the same session there, unfinished.
    """

    def __init__(self, path: Path, record: SessionRecord, *, resumed: bool = False) -> None:
        self.path = path
        self.record = record
        self.resumed = resumed
        self._held: set[Job] = set()

    # Making and opening

    @classmethod
    def create(cls, path: Path, record: SessionRecord) -> Session:
        """Make the folder `path` for a new session; or resume the unfinished session of the same settings in it.

        Raises:
            DctError: the folder holds a finished or a different session, or other files, or cannot be written.
            SessionBusy: another process is writing there.
            SessionDamaged, SchemaTooNew: what is there cannot be read.
        """
        path = unicode_path(expand(path))
        if cls.exists(path):
            return cls._resume(path, record)
        made = make_session_folder(path)
        try:
            session = cls(path, record)
            with session.writing():
                if cls.exists(path):
                    return cls._resume(path, record)
                session._write_record(record)
        except SessionBusy:
            raise
        except BaseException:
            if made and not cls.exists(path):
                unmake_session_folder(path)
            raise
        return session

    @classmethod
    def _resume(cls, path: Path, record: SessionRecord) -> Session:
        session = cls.open(path)
        if differences := session.record.differences(record):
            raise DctError(
                f"{path} holds a session with other settings: {', '.join(differences)}",
                "choose another folder, or give the same settings to resume it",
            )
        if session.record.status == "fitted":
            raise DctError(f"the session in {path} is already fitted", "choose another folder to fit it once more")
        session.resumed = True
        return session

    @classmethod
    def open(cls, path: Path) -> Session:
        """The session in the folder `path`.

        Raises:
            DctError: there is no session.
            SessionDamaged, SchemaTooNew: its `session.json` cannot be read.
        """
        path = expand(path)
        return cls(path, read_record(path))

    @staticmethod
    def exists(path: Path) -> bool:
        """Whether the folder `path` holds a session, whatever its state. Raises DctError where it can be no path."""
        try:
            return (expand(path) / layout.RECORD_FILE).is_file()
        except OSError:  # a folder that may not be looked into
            return False

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    def reload(self) -> SessionRecord:
        """Read `session.json` again, as another process may have changed it."""
        self.record = read_record(self.path)
        return self.record

    # Writing

    @contextlib.contextmanager
    def writing(self, job: Job = "fit") -> Iterator[None]:
        """Be the one process that does this job on this session, for the length of a `with` block.

        Raises:
            SessionBusy: another process is; the error names it.
        """
        with hold(self.path / layout.lock_file(job), f"the {job} of session {self.name}"):
            if job == "fit":
                for name in layout.FIT_LOCKED:
                    remove_leftovers(self.path / name)
            self._held.add(job)
            try:
                yield
            finally:
                self._held.discard(job)

    def writer(self, job: Job = "fit") -> Holder | None:
        """The process that does this job now, None where there is none."""
        return holder(self.path / layout.lock_file(job))

    def update_record(self, **changes: Any) -> SessionRecord:
        """Change fields of `session.json`, such as `status`. Needs `writing()`."""
        record = dataclasses.replace(self.reload(), **changes)
        self._write_record(record)
        return record

    def _write_record(self, record: SessionRecord) -> None:
        self._require_fit_lock()
        write_atomic(self.path / layout.RECORD_FILE, record.encode())
        self.record = record

    def _require_fit_lock(self) -> None:
        if "fit" not in self._held:
            raise RuntimeError("written outside `with session.writing()`")

    # The fit

    @property
    def has_fit(self) -> bool:
        """Whether there is a fitted transcoder to read."""
        return (self.path / layout.FIT_FILE).is_file()

    def read_fit(self) -> FitTensors:
        """The fitted transcoder, averages as its last columns.

        Raises:
            SessionDamaged: there is none, it is damaged, or another session's.
        """
        from .averages import with_averages
        from .tensors import read_fit

        path = self.path / layout.FIT_FILE
        fit = read_fit(path)
        expected = (self.record.model.width, self.record.fit.factors)
        for name, found in (("U", fit.U.shape), ("V", fit.V.shape)):
            if found != expected:
                raise SessionDamaged(
                    f"{path} is not of this session: {name} is {found}, not {expected} as session.json says",
                    "move it away and resume the fit",
                )
        return with_averages(fit, self.read_averages(), self.path)

    def write_fit(self, fit: FitTensors) -> None:
        """Keep the fitted transcoder. Needs `writing()`. Raises DctError for values that are not finite."""
        from .tensors import write_fit

        self._require_fit_lock()
        write_fit(self.path / layout.FIT_FILE, fit)

    def read_checkpoint(self) -> Checkpoint | None:
        """The state after the last finished iteration; None before the first. Raises SessionDamaged."""
        from .tensors import read_checkpoint

        path = self.path / layout.CHECKPOINT_FILE
        return read_checkpoint(path) if path.exists() else None

    def write_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep the state after an iteration. Needs `writing()`. Raises DctError for values that are not finite."""
        from .tensors import write_checkpoint

        self._require_fit_lock()
        write_checkpoint(self.path / layout.CHECKPOINT_FILE, checkpoint)

    # What is known about the features

    def read_features(self) -> list[dict[str, Any]]:
        """One record per feature, in the order written, then those of averages, which have `members` too.

        Empty before they are described. Raises SessionDamaged.
        """
        from .averages import average_records

        records = read_features(self.path / layout.FEATURES_FILE, self.record.fit.factors)
        return records + average_records(self.read_averages(), records) if records else []

    def write_features(self, features: Sequence[Mapping[str, Any]]) -> None:
        """Keep one record per feature, each with its `index`; all at once. Needs `writing()`."""
        self._require_fit_lock()
        write_features(self.path / layout.FEATURES_FILE, features)

    def read_averages(self) -> list[Average]:
        """The averages that were made of features; `make_average` makes one. Raises SessionDamaged."""
        from .averages import read_averages

        return read_averages(self.averages, self.record.fit.factors)

    @property
    def feature_count(self) -> int:
        """How many features there are or will be, averages among them. Raises SessionDamaged."""
        return self.record.fit.factors + len(self.read_averages())

    # Journals. Hold `writing(job)` for as long as a job appends to one.

    @property
    def progress(self) -> Journal:
        """One record an iteration, and between them how far it is: see `progress.read_progress`."""
        return Journal(self.path / layout.PROGRESS_FILE)

    @property
    def samples(self) -> Journal:
        """Records of `Sample.encode`."""
        return Journal(self.path / layout.SAMPLES_FILE)

    @property
    def marks(self) -> Journal:
        """Records of `Mark.encode`; append them durably."""
        return Journal(self.path / layout.MARKS_FILE)

    @property
    def averages(self) -> Journal:
        """Records of averages; `make_average` appends them."""
        return Journal(self.path / layout.AVERAGES_FILE)

    def read_samples(self) -> tuple[list[Sample], list[str]]:
        """Every sample, and a notice for each record that could not be used."""
        reading = self.samples.read()
        samples, notices = decode_all(Sample, reading.records, layout.SAMPLES_FILE)
        return samples, reading.notices + notices

    def read_marks(self) -> tuple[list[Mark], list[str]]:
        """Every event of marking, for `replay`, and a notice for each record that could not be used."""
        reading = self.marks.read()
        marks, notices = decode_all(Mark, reading.records, layout.MARKS_FILE)
        return marks, reading.notices + notices

    def chat(self, name: str) -> Journal:
        """The journal of the chat of that name; append turns durably. Raises DctError for an odd name or no session."""
        folder = self.path / layout.CHATS_FOLDER
        path = folder / f"{layout.check_name(name, 'chat')}.jsonl"
        check_still_there(self.path)
        make_folder(folder)
        return Journal(path)

    def chat_names(self) -> list[str]:
        """The names of the chats that were kept."""
        return sorted(path.stem for path in (self.path / layout.CHATS_FOLDER).glob("*.jsonl"))

    @property
    def exports(self) -> Path:
        """The folder for exported files; it may not exist yet."""
        return self.path / layout.EXPORTS_FOLDER
