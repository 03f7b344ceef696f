"""Averages: the mean of several features as a feature of its own, with the next free index; imports are numbered alike.

`fit.safetensors` and `features.json` are not touched; the averages stand in `averages.jsonl`, and who reads the fit or
the features through a session gets them as further ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dct_tui.errors import DctError, SessionDamaged

from .decode import decode
from .imports import Imported, import_record, read_import
from .journal import Journal
from .record import now
from .tensors import FitTensors

if TYPE_CHECKING:
    from .session import Session

__all__ = ["Average", "average_records", "make_average", "read_averages", "with_averages"]

SMALLEST_MEAN = 1e-3
WORDS = 10


@dataclass(frozen=True)
class Average:
    """One average: its index among the features, and those it is the mean of, all below it.

    An imported direction has `imported` and no members.
    """

    index: int
    members: tuple[int, ...] = ()
    at: str = field(default_factory=now)
    imported: Imported | None = None


def read_averages(journal: Journal, fitted: int) -> list[Average]:
    """The averages of a session of `fitted` features; a torn last line is left out.

    Raises:
        SessionDamaged: one is there that cannot be: those after it would not be what they were.
    """
    name = journal.path.name
    averages: list[Average] = []
    for record in journal.read().records:
        average = decode(Average, record, name)
        index, members = fitted + len(averages), average.members
        wrong = ""
        if average.index != index:
            wrong = f"feature {average.index} stands where feature {index} is due"
        elif average.imported is not None and members:
            wrong = f"feature {index} is imported, and a mean of {members}"
        elif average.imported is None and (len(set(members)) < 2 or not all(0 <= member < index for member in members)):
            wrong = f"feature {index} cannot be the mean of {members}"
        if wrong:
            raise SessionDamaged(
                f"{journal.path} is damaged: {wrong}",
                "move it away: averages and imports are lost, the fitted features are not touched",
            )
        averages.append(average)
    return averages


def with_averages(fit: FitTensors, averages: Iterable[Average], folder: Path) -> FitTensors:
    """The fit with a column for each average: the unit mean of V and of U, the mean of α; and for each import.

    Raises:
        SessionDamaged: an imported direction is not there any more.
    """
    averages = list(averages)
    if not averages:
        return fit
    U, V = (np.pad(part, ((0, 0), (0, len(averages)))) for part in (fit.U, fit.V))
    alpha = np.pad(fit.alpha, (0, len(averages)))
    for average in averages:
        if average.imported is not None:
            kept = read_import(folder, average.index, average.imported, len(V))
            V[:, average.index], U[:, average.index] = kept.v, kept.u
            alpha[average.index] = average.imported.alpha
            continue
        members = list(average.members)
        U[:, average.index] = _unit(U[:, members].mean(axis=1))
        V[:, average.index] = _unit(V[:, members].mean(axis=1))
        alpha[average.index] = alpha[members].mean()
    return replace(fit, U=U, V=V, alpha=alpha)


def average_records(averages: Iterable[Average], records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A record for each average as `features.json` has them for fitted features, with `members` besides.

    Its words are those of its members in turn. `norm` and `kl` are None: nothing was measured.
    """
    known = {record["index"]: dict(record) for record in records}
    made: list[dict[str, Any]] = []
    for average in averages:
        if average.imported is not None:
            made.append(import_record(average.index, average.imported))
            known[average.index] = made[-1]
            continue
        members = [known[member] for member in average.members if member in known]
        turns = chain.from_iterable(zip_longest(*(member["words"] for member in members)))
        record = {
            "index": average.index,
            "rank": average.index + 1,
            "alpha": sum(member["alpha"] for member in members) / len(members) if members else 0.0,
            "norm": None,
            "kl": None,
            "words": list(dict.fromkeys(word for word in turns if word is not None))[:WORDS],
            "neighbours": [],
            "members": list(average.members),
        }
        known[average.index] = record
        made.append(record)
    return made


def make_average(session: Session, members: Iterable[int]) -> int:
    """Adds the mean of these features to a session; returns its index. One that is there already is not made again.

    Raises:
        DctError: under two features, one that is not there, directions that cancel each other, or no room. Output
            directions that were not measured are left aside.
        SessionBusy: another process is adding one.
    """
    chosen = tuple(sorted(set(members)))
    if len(chosen) < 2:
        raise DctError("an average needs two features or more", "select them first")
    with session.writing("averages"):
        fit = session.read_fit()
        if not 0 <= chosen[0] <= chosen[-1] < fit.alpha.size:
            raise DctError(f"there is no feature {chosen[-1]}", f"choose from 0 to {fit.alpha.size - 1}")
        for average in session.read_averages():
            if average.members == chosen:
                return average.index
        for part, which in ((fit.V, "input"), (fit.U, "output")):
            columns = part[:, list(chosen)]
            # The output direction of an import is zeros where no model was open to measure it.
            if columns.any() and np.linalg.norm(columns.mean(axis=1)) < SMALLEST_MEAN:
                raise DctError(f"the {which} directions of these features cancel each other", "leave some out")
        average = Average(fit.alpha.size, chosen)
        session.averages.append(asdict(average), durable=True)
    return average.index


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector
