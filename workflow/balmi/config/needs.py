"""What jobs ask a cluster for: memory and time by the size of the cohort, growing with attempts.

Memory is a sum of terms whose factors were fitted to peaks of `make benchmark-scale`
and enlarged, so that a job asks for what it needs and at most about twice as much. Time is generous
instead: what machines differ by is more than what a formula could tell.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from balmi.config.methods import NETWORKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from balmi.config.settings import Settings

    Resource = Callable[..., int]

MEGABYTE = 10**6
SINGLE, DOUBLE = 4, 8  # bytes of a number
USUAL_MB = 100  # of kept features: jobs of more take longer in proportion
DRAWN = 5000  # samples that what does not look at all of them looks at, about
MOST_COMPARED = 6250  # samples of which four fifths are as many as a kernel machine learns from
COMPRESSED = {".gz": 5, ".bz2": 5, ".xz": 5, ".zip": 5}  # how much larger the content is, about


@dataclass(frozen=True)
class Size:
    """How large a cohort is, as far as jobs feel it.

    Parameters
    ----------
    samples, features
        Samples, and features of all modalities together.
    kept
        Features that a fold keeps at most, of all modalities together.
    cohort_mb
        Size of ``cohort.h5mu``, MB.
    studied
        Samples that information is estimated on.
    networks
        Networks that train together.
    """

    samples: int
    features: int
    kept: int
    cohort_mb: float
    studied: int
    networks: int

    @classmethod
    def of(cls, folder: Path, settings: Settings) -> Size:
        """Return the size of a cohort that was assembled.

        Parameters
        ----------
        folder
            Where ``samples.json`` and ``cohort.h5mu`` are.
        settings
            The settings.

        Raises
        ------
        FileNotFoundError
            Where it was not assembled yet.
        """
        about = folder / "samples.json"
        samples, sizes = _sizes(about, about.stat().st_mtime_ns)
        evaluation, training = settings.evaluation, settings.training
        folds = evaluation.folds * evaluation.repeats_for(samples)
        together = folds * training.members_for(samples)
        if training.replicas is not None:
            together = min(together, training.replicas)
        most = settings.preprocessing.max_features
        return cls(
            samples=samples,
            features=sum(sizes),
            kept=sum(min(size, most) for size in sizes),
            cohort_mb=(folder / "cohort.h5mu").stat().st_size / MEGABYTE,
            studied=min(samples, settings.information.largest),
            networks=together,
        )

    @property
    def kept_mb(self) -> float:
        """The kept features of all samples in single precision, MB."""
        return self.samples * self.kept * SINGLE / MEGABYTE

    @property
    def similar_mb(self) -> float:
        """The similarities of every two samples, MB; of more than are compared, nothing."""
        return self.samples**2 * DOUBLE / MEGABYTE if self.samples <= MOST_COMPARED else 0

    @property
    def studied_mb(self) -> float:
        """The kept features of the studied samples in double precision, MB."""
        return self.studied * self.kept * DOUBLE / MEGABYTE

    @property
    def drawn_mb(self) -> float:
        """The kept features of up to `DRAWN` samples in double precision, MB."""
        return min(self.samples, DRAWN) * self.kept * DOUBLE / MEGABYTE


@lru_cache(maxsize=256)
def _sizes(path: Path, changed: int) -> tuple[int, tuple[int, ...]]:
    """Return the samples and the features of every modality that a roster tells of."""
    about = json.loads(path.read_text(encoding="utf-8"))
    return len(about["samples"]), tuple(each["features"] for each in about["modalities"])


@dataclass(frozen=True)
class Need:
    """What a job needs.

    Parameters
    ----------
    base
        MB for libraries.
    minutes
        Time of the first attempt, up to `USUAL_MB` of kept features.
    cohort, kept, studied, drawn
        MB per MB of ``cohort.h5mu``, of the kept features, and of those of the studied samples and
        of a draw.
    features
        MB per 1,000 features of the cohort.
    similar
        MB per MB of the similarities of every two samples, as far as they are computed.
    networks
        MB per network.
    """

    base: int
    minutes: int
    cohort: float = 0
    kept: float = 0
    studied: float = 0
    drawn: float = 0
    features: float = 0
    similar: float = 0
    networks: float = 0

    def megabytes(self, size: Size) -> int:
        """Return the memory that a job on a cohort of some size needs, MB."""
        return round(
            self.base
            + self.cohort * size.cohort_mb
            + self.kept * size.kept_mb
            + self.studied * size.studied_mb
            + self.drawn * size.drawn_mb
            + self.features * size.features / 1000
            + self.similar * size.similar_mb
            + self.networks * size.networks
        )

    def time(self, size: Size) -> int:
        """Return the minutes that a job on a cohort of some size may take."""
        return round(self.minutes * max(1, size.kept_mb / USUAL_MB))


NEEDS: Final[Mapping[str, Need]] = {
    "fit_preprocessing": Need(base=380, minutes=30, cohort=4.8, features=2.5),
    "measure_information": Need(base=300, minutes=60, cohort=4.5, studied=30, features=8),
    "measure_splits": Need(base=320, minutes=60, cohort=4.5, studied=8, features=10),
    "fit_bases": Need(base=240, minutes=60, kept=6, drawn=11.5),
    "fit_baseline": Need(base=300, minutes=60, kept=10, similar=2.8),
    "fit_probed_baseline": Need(base=560, minutes=60, kept=20, similar=3),
    "fit_pools": Need(base=600, minutes=120, kept=20, similar=3),
    "fuse_networks": Need(base=600, minutes=60, kept=20),
    "pretrain_distillation": Need(base=600, minutes=120, kept=20, networks=1.5),
    "observe_gains": Need(base=480, minutes=120, kept=12, networks=1),
    "train_network": Need(base=600, minutes=120, kept=20, networks=2),
    "train_share": Need(base=800, minutes=120, cohort=6.8, drawn=8),
    "run_control": Need(base=800, minutes=120, cohort=4.8, drawn=6, features=4.5),
    "probe_method": Need(base=600, minutes=60, kept=9, drawn=16, networks=1),
    "attribute_features": Need(base=640, minutes=60, kept=30, networks=2),
    "fit_final_model": Need(base=410, minutes=60, cohort=7, drawn=40, features=3.5),
    "assess_trust": Need(base=350, minutes=30, cohort=4),
}


# Fitted to peaks of the job's function alone, with methods of networks.
FINAL_NETWORKS = Need(base=560, minutes=120, kept=36, features=12)


def _need(rule: str, settings: Settings) -> Need:
    """Return what a rule needs, which depends on the method of the final model."""
    networks = rule == "fit_final_model" and settings.final.method in NETWORKS
    return FINAL_NETWORKS if networks else NEEDS[rule]


def needs(rule: str, settings: Settings) -> dict[str, Resource]:
    """Return a rule's ``mem_mb`` and ``runtime`` (minutes) as functions for Snakemake.

    They look at the roster beside the rule's ``samples`` or ``cohort``. Before that is made the
    functions raise FileNotFoundError, by which Snakemake knows that it is to ask again.

    Parameters
    ----------
    rule
        One of `NEEDS`.
    settings
        The settings.
    """
    need = _need(rule, settings)

    def size(inputs: Mapping[str, str]) -> Size:
        file = Path(inputs.get("samples") or inputs["cohort"])
        file.stat()  # the error names the input, as Snakemake wants it
        return Size.of(file.parent, settings)

    def mem_mb(wildcards: object, input: Mapping[str, str], attempt: int) -> int:
        return attempt * need.megabytes(size(input))

    def runtime(wildcards: object, input: Mapping[str, str], attempt: int) -> int:
        return attempt * need.time(size(input))

    return {"mem_mb": mem_mb, "runtime": runtime}


def reading(files: Iterable[Path]) -> int:
    """Return the memory that reading and checking files needs, MB.

    Parameters
    ----------
    files
        The files; what does not exist counts nothing.
    """
    sizes = (
        path.stat().st_size * COMPRESSED.get(path.suffix, 1) for path in files if path.is_file()
    )
    return round(400 + 3 * sum(sizes) / MEGABYTE)


def growing(amount: int) -> Callable[[object, int], int]:
    """Return a resource function for a rule: `amount` at first, twice that at the second try.

    Parameters
    ----------
    amount
        Megabytes or minutes of the first attempt.
    """

    def resource(wildcards: object, attempt: int) -> int:
        return amount * attempt

    return resource
