"""Tables of comparisons whose verdicts are known."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from balmi.data.cohort import Cohort

PAIRS = (("balanced", "unimodal-lr"), ("stacked-lr", "unimodal-lr"), ("balanced", "stacked-lr"))
POOLED = {"balanced": "pooled"}
GAIN, NONE, LOSS = "gain supported", "no difference shown", "loss supported"
LIMITS = {GAIN: (0.01, 0.05), NONE: (-0.02, 0.04), LOSS: (-0.05, -0.01)}
COLUMNS = ["method", "reference", "metric", "samples", "difference", "lower", "upper", "p"]
COLUMNS += ["p_holm", "worse", "equivalent", "better", "folds", "dealt"]


def row(pair: tuple[str, str], word: str, **changes: object) -> dict[str, object]:
    """Return a comparison by macro-F1 over all samples that has this verdict."""
    lower, upper = LIMITS[word]
    p = 0.2 if word == NONE else 0.01
    numbers = {"difference": (lower + upper) / 2, "lower": lower, "upper": upper, "p": p}
    sides = {"worse": 0.1, "equivalent": 0.5, "better": 0.4}
    head = {"method": pair[0], "reference": pair[1], "metric": "macro_f1", "samples": "all"}
    return {**head, **numbers, "p_holm": p, **sides, "folds": 25, "dealt": 25, **changes}


def comparisons(
    words: Iterable[str | None], complete: Iterable[str | None] | None = None, **changes: object
) -> pd.DataFrame:
    """Return the three pairs with these verdicts, in both sets of samples; None leaves one out."""
    words = tuple(words)
    both = {"all": words, "complete": words if complete is None else tuple(complete)}
    rows = [
        row(pair, word, samples=samples, **changes)
        for samples, held in both.items()
        for pair, word in zip(PAIRS, held, strict=True)
        if word is not None
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def summary(auroc: Mapping[str, float]) -> pd.DataFrame:
    """Return the macro AUROC of methods by its lower limit."""
    rows = [
        (name, None, "macro_auroc", lower + 0.05, lower, lower + 0.1, 25)
        for name, lower in auroc.items()
    ]
    return pd.DataFrame(
        rows, columns=["method", "class", "metric", "mean", "lower", "upper", "folds"]
    )


def checklist(**states: str) -> pd.DataFrame:
    """Return checks by name, with blanks in place of underscores."""
    rows = [(name.replace("_", " "), state, None, "Told.") for name, state in states.items()]
    return pd.DataFrame(rows, columns=["check", "state", "value", "detail"])


METHODS = ("balanced", "stacked-lr", "unimodal-lr")


def tables(
    words: Iterable[str | None] = (GAIN, GAIN, NONE),
    complete: Iterable[str | None] | None = None,
    auroc: float | Mapping[str, float] = 0.6,
    trust: Mapping[str, str] | None = None,
    **changes: object,
) -> dict[str, pd.DataFrame]:
    """Return what a decision rests on."""
    ranks = auroc if not isinstance(auroc, float) else dict.fromkeys(METHODS, auroc)
    return {
        "comparisons": comparisons(words, complete, **changes),
        "summary": summary(ranks),
        "trust": checklist(**({"absence": "pass"} if trust is None else trust)),
    }


def lacking(cohort: Cohort, rows: Iterable[int], modality: int = 0) -> Cohort:
    """Return a cohort whose samples of these rows lack a modality."""
    name = cohort.modalities[modality]
    values = cohort.tables[name].copy()
    values[list(rows)] = np.nan
    return replace(cohort, values={**cohort.tables, name: values})


def of_the_pool(found: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the same tables where the pool is what `balanced` was, and compared as it is."""
    made = found["comparisons"].replace({"method": POOLED, "reference": POOLED})
    own = (made["method"] == "pooled") & (made["reference"] == "unimodal-lr")
    made.loc[own, "reference"] = "unimodal-pooled"
    ranked = found["summary"].replace({"method": POOLED})
    single = ranked[ranked["method"] == "unimodal-lr"].assign(method="unimodal-pooled")
    return {**found, "comparisons": made, "summary": pd.concat([ranked, single])}


EVERY_VERDICT = tuple(product((GAIN, NONE, LOSS), repeat=3))
