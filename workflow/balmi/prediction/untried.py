"""New samples that lack modalities as no sample of the cross-validation did, and what is known.

Scores of the cross-validation are those of samples with the modalities that they had. Of others
nothing was tested but what the probes say: how much is lost where one modality is taken away from
test samples that have it (``dropped`` in ``tables/robustness.csv``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from balmi.data.together import apart, together
from balmi.errors import Caution
from balmi.evaluation.metrics import METRICS
from balmi.numerals import counted, decimal, inflected, signed, with_limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

DROPPED = "dropped"
UNTRIED = "none with these modalities was tested"
# Share of new samples that were not tested alike, from which their score is another's.
COMPARABLE = 0.1
COLUMNS = (
    *("modality", "metric", "value", "lower", "upper"),
    *("difference", "difference_lower", "difference_upper"),
)


@dataclass(frozen=True)
class Untried:
    """New samples of one pattern that was not tested.

    Parameters
    ----------
    has, lacks
        Modalities of the model that they have, and that they lack.
    samples
        How many they are.
    """

    has: tuple[str, ...]
    lacks: tuple[str, ...]
    samples: int


def dropped(robustness: pd.DataFrame, method: str) -> pd.DataFrame:
    """Return what a method loses without each modality, of ``tables/robustness.csv``."""
    own = (robustness["method"] == method) & (robustness["kind"] == DROPPED)
    return robustness.loc[own, list(COLUMNS)]


def untried(
    modalities: Sequence[str], patterns: Iterable[str], evaluation: Mapping[str, Any]
) -> list[Untried]:
    """Return which new samples have modalities together that no tested sample had, most first.

    Parameters
    ----------
    modalities
        The model's.
    patterns
        The modalities of every new sample (`balmi.data.together.together`).
    evaluation
        How the model's method performed. Where no patterns are told, as of a model that is not the
        one that was tested, nothing is.
    """
    tested = [frozenset(each["modalities"]) for each in evaluation.get("patterns", ())]
    counts: dict[frozenset[str], int] = {}
    for pattern in patterns:
        has = frozenset(apart(pattern))
        counts[has] = counts.get(has, 0) + 1
    found = [
        Untried(
            tuple(name for name in modalities if name in has),
            tuple(name for name in modalities if name not in has),
            count,
        )
        for has, count in counts.items()
        if tested and has not in tested
    ]
    return sorted(found, key=lambda each: (-each.samples, each.has))


def incomparable(found: Sequence[Untried], samples: int) -> str | None:
    """Return why a score of new samples cannot be compared with the cross-validation, or None.

    Parameters
    ----------
    found
        Which of them were not tested alike, as `untried` says.
    samples
        How many they are in all.
    """
    count = sum(each.samples for each in found)
    if count < COMPARABLE * samples or not count:
        return None
    of = f"{count:,} of {counted(samples, 'sample')} {inflected(count, 'has', 'have')}"
    return f"{of} modalities that no tested sample had alone"


def flagged(table: pd.DataFrame, found: Iterable[Untried]) -> pd.DataFrame:
    """Return a table of predictions with a further flag of samples that were not tested alike.

    Parameters
    ----------
    table
        As `balmi.prediction.predict.table_of` makes it.
    found
        As `untried` says.
    """
    patterns = {together(each.has) for each in found}
    marked = table["modalities"].isin(patterns)
    flags = table["flags"].where(~marked, table["flags"] + f"; {UNTRIED}")
    return table.assign(flags=flags.str.removeprefix("; "))


def untested(key: str, found: Iterable[Untried], evaluation: Mapping[str, Any]) -> list[str]:
    """Return a line on each pattern that was not tested, as remarks have them.

    Parameters
    ----------
    key
        The configuration's key of the prediction.
    found, evaluation
        As `untried` has them.
    """
    where = f"{key}.modalities"
    return [str(Caution(where, *what_is_known(each, evaluation))) for each in found]


def what_is_known(each: Untried, evaluation: Mapping[str, Any]) -> tuple[str, str]:
    """Return in words which samples were not tested, and what the probes say of them."""
    lacks = " and ".join(each.lacks)
    verb = inflected(each.samples, "lacks", "lack")
    alone = f" of those with {' and '.join(each.has)}" if len(each.lacks) > 1 and each.has else ""
    found = f"{counted(each.samples, 'sample')} {verb} {lacks}, as no tested sample{alone} did"
    metric = evaluation["primary"]
    rows = {
        row["modality"]: row
        for row in evaluation.get(DROPPED, ())
        if row["metric"] == metric and row["value"] is not None
    }
    losses = [_loss(rows[name], metric) for name in each.lacks if name in rows]
    if not losses:
        return found, "how well they are predicted was not measured"
    more = "; more is to be lost where more than one is lacking" if len(each.lacks) > 1 else ""
    return found, f"in the cross-validation, {'; '.join(losses)}{more}"


def _loss(row: Mapping[str, Any], metric: str) -> str:
    value = with_limits(row["value"], row["lower"], row["upper"], decimal)
    told = f"{METRICS[metric].title} was {value} with {row['modality']} taken away"
    if row["difference"] is None:
        return told
    ends = (row[key] for key in ("difference", "difference_lower", "difference_upper"))
    return f"{told}, a change of {with_limits(*ends, signed)}"
