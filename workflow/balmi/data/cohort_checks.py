"""What is wrong with the tables of a cohort together: classes, groups, folds, names.

Every check returns problems instead of raising, so that a user sees all of them at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from balmi.config.settings import Scheme
from balmi.data.folds import FOLD, check_dealt, check_groups_out, check_own_folds
from balmi.data.matching import EXAMPLES, kin, pairs
from balmi.data.names import twins
from balmi.errors import Problem, listing, shown
from balmi.numerals import counted, counted_samples, inflected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from balmi.config.settings import Dataset
    from balmi.data.usable import Tables


def check_measured(
    tables: Tables, dataset: Dataset, labels: pd.Series, ids: Mapping[str, pd.Index], key: str
) -> list[Problem]:
    """Return which modalities measure no labelled sample.

    Parameters
    ----------
    tables
        What is used of the cohort's tables.
    dataset
        The dataset, for its files.
    labels
        Labels by sample id, as the table of samples has them.
    ids
        Modality -> the ids of its file.
    key
        The dataset's key.
    """
    labelled, problems = labels.index[labels.notna()], []
    for name, table in tables.modalities.items():
        if len(table.index) or not len(tables.samples):
            continue
        free = labelled.difference(ids[name], sort=False)
        alike = kin(ids[name].difference(labels.index, sort=False), free)
        found = f"no measurement of any labelled sample; ids here are {_first(ids[name])}"
        allowed = f"measurements of samples that have a label, such as {_first(labelled)}"
        if alike:
            allowed += f"; {counted(len(alike), 'id')} much like one of them: {pairs(alike)}"
        where = f"{key}.modalities.{name}: {dataset.used[name].path}"
        problems.append(Problem(where, found, allowed))
    return problems


def _first(ids: pd.Index) -> str:
    return listing(map(shown, ids[:EXAMPLES]))


def check_classes(tables: Tables, key: str) -> list[Problem]:
    """Return that there are fewer than two classes."""
    names = tables.samples["label"].unique()
    if len(names) > 1:
        return []
    lost = listing(counted_samples(n, what) for what, n in tables.dropped.items() if n)
    left = len(tables.samples)
    kept = f"{counted(left, 'sample')} {inflected(left, 'is', 'are')} left"
    kept += f"{lost and ' after dropping '}{lost}"
    found = f"classes: {listing(map(shown, names)) or 'none'}; {kept}"
    return [Problem(f"{key}.label", found, "at least 2 classes")]


def check_folds(tables: Tables, dataset: Dataset, folds: int | None, key: str) -> list[Problem]:
    """Return why the samples cannot be dealt to test folds as asked for."""
    samples = tables.samples
    problems = _check_groups(samples, key) if "group" in samples else []
    if dataset.folds:
        return problems + check_own_folds(samples, dataset.folds, f"{key}.folds")
    if folds is None:
        return problems or check_groups_out(samples, f"{key}.group")
    known = "group" in samples and not problems
    problems += check_rarest(samples["label"], folds, key)
    return problems + (_check_spread(samples, folds, key) if known else [])


def check_rarest(labels: pd.Series, folds: int, key: str) -> list[Problem]:
    """Return which classes are rarer than the folds."""
    counts = labels.value_counts()
    rare = counts[counts < folds]
    if rare.empty:
        return []
    members = listing(f"{name!r} has {count}" for name, count in rare.items())
    allowed = f"at least {folds} members per class"
    if len(counts) > max(len(labels) / 2, folds):
        allowed += f" (a column of {len(counts):,} values holds measurements rather than classes)"
    else:
        if counts.min() > 1:
            fewer = " or less" if counts.min() > 2 else ""
            allowed += f", or evaluation.folds of {counts.min()}{fewer}"
        allowed += "; merge a rare class with another, or leave its label empty"
    return [Problem(f"{key}.label", f"classes rarer than the folds: {members}", allowed)]


def _check_groups(samples: pd.DataFrame, key: str) -> list[Problem]:
    unknown = samples.index[samples["group"].isna()]
    if unknown.empty:
        return []
    found = f"{counted(len(unknown), 'sample')} without a group: {listing(map(repr, unknown))}"
    return [Problem(f"{key}.group", found, "a group for every labelled sample")]


def _check_spread(samples: pd.DataFrame, folds: int, key: str) -> list[Problem]:
    groups = samples.groupby("label")["group"].nunique()
    few = groups[groups < folds]
    if few.empty:
        allowed = "classes in more groups, or another number of evaluation.folds"
        return check_dealt(samples["label"], samples["group"], folds, f"{key}.group", allowed)
    members = listing(
        f"{name!r} lies in {count} group{'s' * (count > 1)}" for name, count in few.items()
    )
    allowed = (
        f"every class in at least {folds} groups, or fewer evaluation.folds: with these groups"
    )
    return [Problem(f"{key}.group", members, f"{allowed} no stratified split exists")]


def check_scheme(dataset: Dataset, folds: int | None, key: str) -> list[Problem]:
    """Return that a dataset without groups cannot leave one out."""
    if folds is not None or dataset.folds or dataset.group is not None:
        return []
    found = f"nothing, while evaluation.scheme is {Scheme.LEAVE_ONE_GROUP_OUT}"
    allowed = "a dataset with groups, or with folds of its own, or evaluation.scheme k-fold"
    return [Problem(f"{key}.group", found, allowed)]


def sets_of(sets: Iterable[Sequence[str]]) -> str:
    """Return sets of names that look alike, in words."""
    return listing(" and ".join(map(shown, some)) for some in sets)


def check_twins(tables: Tables, dataset: Dataset, key: str) -> list[Problem]:
    """Return names that may be one: a class in two parts, or a patient on both sides of a split.

    They are refused rather than merged, since either guess may be wrong and neither shows.
    """
    keys = {"label": ("label", "classes"), "group": ("group", "groups")}
    keys |= {
        FOLD.format(repeat): (f"folds: {column}", "folds")
        for repeat, column in enumerate(dataset.folds)
    }
    problems = []
    for column in tables.samples:
        name, what = keys[column]
        alike = twins(tables.samples[column].dropna())
        if alike:
            found = f"{what} that look alike: {sets_of(alike)}"
            allowed = (
                "one spelling where they are the same; else names that differ by more than case,"
                " accents, blanks, dashes, quotes or leading zeros"
            )
            problems.append(Problem(f"{key}.{name}", found, allowed))
    return problems
