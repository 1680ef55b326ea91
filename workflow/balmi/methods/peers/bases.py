"""The base regressions of every fold: fitted once, and read by every method that rests on them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from balmi.data.files import reading
from balmi.data.origin import check_origin, origin_header, origin_rows
from balmi.data.tensors import read_tensors, write_tensors
from balmi.errors import MethodFailed
from balmi.logs import followed
from balmi.methods.outcome import Status, attempt
from balmi.methods.peers.base import FittedBase
from balmi.methods.peers.logistic import FittedLogistic
from balmi.methods.peers.side import TrainingSide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from balmi.data.cohort import Roster
    from balmi.data.splits import Split
    from balmi.preprocess.features import Features

    Fold = tuple[int, int]


NAME = "base regressions"


@dataclass(frozen=True)
class Bases:
    """The base regressions of an evaluation.

    Parameters
    ----------
    status
        How fitting them ended, and how long it took.
    folds
        Repeat and fold -> modality -> its regression; nothing where fitting them failed.
    """

    status: Status
    folds: Mapping[Fold, Mapping[str, FittedBase]]

    def check(self) -> None:
        """Pass a failure on to the method that rests on the regressions.

        Raises
        ------
        MethodFailed
            Where fitting them failed.
        """
        if self.status.status != "ok":
            raise MethodFailed(f"{NAME}: {self.status.reason}")

    def of(self, split: Split) -> Mapping[str, FittedBase]:
        """Return the regressions of one fold, by modality.

        Raises
        ------
        MethodFailed
            As `check` does.
        """
        self.check()
        return self.folds[split.repeat, split.fold]


def fit_bases(cohort: Roster, features: Features, splits: Sequence[Split]) -> Bases:
    """Fit the regression of every modality to the training side of every fold, and out of fold.

    Parameters
    ----------
    cohort, features
        The cohort and its features.
    splits
        The folds.
    """

    def fit() -> dict[Fold, dict[str, FittedBase]]:
        found = {}
        for split in followed(splits, NAME, "fold"):
            samples = features.apply(features.fit(split.fit), split.fit)
            bases = TrainingSide.of(cohort, split, samples).bases()
            found[split.repeat, split.fold] = {base.modality: base for base in bases}
        return found

    return Bases(*attempt(NAME, fit, {}))


def write_bases(bases: Bases, splits: Sequence[Split], cohort: Roster, path: Path) -> None:
    """Write base regressions.

    Parameters
    ----------
    bases, splits, cohort
        The regressions, the folds that they learned from, and the cohort as read from its file.
    path
        A file of ``<fold>/rows``, the rows learned from; ``<fold>/<modality>/prior`` and
        ``held_out``, and the parts of `balmi.methods.peers.logistic.FittedLogistic` likewise. Its
        header tells how fitting them ended, their number of folds, and the cohort's checksum.
    """
    tensors = origin_rows(splits)
    for number, split in enumerate(splits):
        for name, base in bases.folds.get((split.repeat, split.fold), {}).items():
            start = f"{number}/{name}/"
            tensors |= {f"{start}prior": base.prior, f"{start}held_out": base.held_out}
            tensors |= {f"{start}{part}": each for part, each in base.regression.arrays.items()}
    write_tensors(tensors, path, {**origin_header(cohort, splits), "ended": asdict(bases.status)})


def read_bases(path: Path, cohort: Roster, splits: Sequence[Split]) -> Bases:
    """Read what `write_bases` wrote.

    Raises
    ------
    UserError
        Where the file is damaged, or was learned from another cohort or from other folds.
    """
    tensors, header = read_tensors(path)
    with reading(path):
        check_origin(path, tensors, header, cohort, splits)
        status, folds = Status(**header["ended"]), {}
        for number, split in enumerate(splits if status.status == "ok" else ()):
            folds[split.repeat, split.fold] = {
                name: FittedBase(
                    modality=name,
                    prior=tensors[f"{number}/{name}/prior"],
                    regression=FittedLogistic(
                        *(tensors[f"{number}/{name}/{part}"] for part in FittedLogistic.PARTS)
                    ),
                    held_out=tensors[f"{number}/{name}/held_out"],
                )
                for name in cohort.modalities
            }
    return Bases(status, folds)
