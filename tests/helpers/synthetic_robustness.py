"""Synthetic tables of robustness and contributions that keep the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.config.settings import Configuration
from balmi.evaluation.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from balmi.data.cohort import Cohort

PROBED = ("balanced", "stacked-lr")
FOLDS = 6
HALF = 0.03
WHOLE = {"balanced": 0.71, "stacked-lr": 0.69}
NOTHING = 0.12
LEAST_LOSS = 0.3
NOISE = (0.5, 1.0, 2.0, 4.0)
SHARES = (0.1, 0.25, 0.5)
ROBUSTNESS = ["method", "kind", "modality", "level", "metric", "value", "lower", "upper"]
ROBUSTNESS += ["difference", "difference_lower", "difference_upper", "folds"]
STATUS = ["kind", "level", "method", "status", "reason"]
CONTRIBUTIONS = ["method", "metric", "modality", "shapley", "lower", "upper", "alone", "nothing"]
CONTRIBUTIONS += ["whole", "folds"]
CONTROLS = ["control", "method", "metric", "value", "lower", "upper", "lower99", "folds"]
ATTRIBUTION = ["class", "modality", "feature", "rank", "importance", "direction", "top", "kept"]
SHARE = ["class", "modality", "share", "lower", "upper", "stability", "overlap"]
ALWAYS = ("macro_f1", "macro_auroc", "log_loss")


def weight(place: int) -> float:
    """Return what the modality of this place adds to macro-F1: 0.32, 0.14, 0, 0, ..."""
    return (0.32, 0.14)[place] if place < 2 else 0.0


def signs(followed: str) -> dict[str, int]:
    """Return the metrics of the tables, and whether more of each is better (1) or less (-1)."""
    return {name: 1 if METRICS[name].more_is_better else -1 for name in (*ALWAYS, followed)}


def _row(
    method: str, kind: str, modality: str | None, level: float, loss: float, followed: str
) -> Iterator:
    for metric, sign in signs(followed).items():
        value = WHOLE[method] - sign * loss if sign > 0 else 0.8 + loss
        half = 0.0 if level == (1 if modality is None else 0) else HALF
        change = 0.0 if loss == 0 else -sign * loss
        yield (
            *(method, kind, modality, level, metric, value, value - 0.04, value + 0.04),
            *(change, change - half, change + half, FOLDS),
        )


def make_robustness(
    modalities: Sequence[str], methods: Sequence[str], followed: str = "macro_f1"
) -> pd.DataFrame:
    """Return noise, dropped and shuffled modalities, and shares; the third modality is idle."""
    rows = []
    for method in methods:
        for place, name in enumerate(modalities):
            for level in (0.0, *NOISE):
                loss = weight(place) * (1 - np.exp(-level / 1.5))
                rows += _row(method, "noise", name, level, loss, followed)
            rows += _row(method, "dropped", name, np.nan, 0.8 * weight(place), followed)
            rows += _row(method, "shuffled", name, np.nan, weight(place), followed)
        for level in (*SHARES, 1.0):
            rows += _row(method, "share", None, level, 0.22 * (1 - level) ** 2, followed)
    return pd.DataFrame(rows, columns=ROBUSTNESS)


def make_controls(methods: Sequence[str], leak: float = 0.5) -> pd.DataFrame:
    """Return controls at chance; `leak` is the macro AUROC of the leak control."""
    rows = []
    for control, value in (("leak", leak), ("labels", 0.49)):
        for method in methods:
            limits = (value - 0.05, value + 0.05, value - 0.07)
            rows.append((control, method, "macro_auroc", value, *limits, 3))
    return pd.DataFrame(rows, columns=CONTROLS)


def make_contributions(
    modalities: Sequence[str], methods: Sequence[str], followed: str = "macro_f1"
) -> pd.DataFrame:
    """Return Shapley values that sum to whole minus nothing; below 0 where less is better."""
    rows = []
    for method in methods:
        for metric, sign in signs(followed).items():
            nothing = NOTHING if sign > 0 else LEAST_LOSS + WHOLE[method]
            rest = WHOLE[method] - NOTHING - sum(map(weight, range(len(modalities))))
            for place, name in enumerate(modalities):
                value = sign * (weight(place) + (rest if place == 0 else 0.0))
                limits = (value - HALF, value + HALF)
                whole = nothing + sign * (WHOLE[method] - NOTHING)
                cells = (value, *limits, nothing + value, nothing, whole, FOLDS)
                rows.append((method, metric, name, *cells))
    return pd.DataFrame(rows, columns=CONTRIBUTIONS)


def make_embedding(cohort: Cohort) -> pd.DataFrame:
    """Return a cloud per class."""
    rng = np.random.default_rng(5)
    turn = 2 * np.pi * cohort.labels / len(cohort.classes)
    centres = 3 * np.column_stack([np.cos(turn), np.sin(turn)])
    places = centres + rng.normal(size=centres.shape)
    labels = np.array(cohort.classes, dtype=object)[cohort.labels]
    columns = {"sample": cohort.samples, "class": labels}
    before = centres / 2 + rng.normal(size=centres.shape)
    columns |= {"x": places[:, 0], "y": places[:, 1]}
    return pd.DataFrame({**columns, "features_x": before[:, 0], "features_y": before[:, 1]})


def make_attribution(cohort: Cohort, features: int = 20) -> pd.DataFrame:
    """Return the foremost features of every class and modality."""
    rng = np.random.default_rng(6)
    rows = []
    for label in cohort.classes:
        for name in cohort.modalities:
            chosen = cohort.features[name][:features]
            sizes = np.sort(rng.gamma(2, 0.02, len(chosen)))[::-1]
            for place, (feature, size) in enumerate(zip(chosen, sizes, strict=True)):
                signed = size * rng.uniform(-1, 1)
                steady = (rng.uniform(0.2, 1), rng.uniform(0.5, 1))
                rows.append((label, name, feature, place + 1, size, signed, *steady))
    return pd.DataFrame(rows, columns=ATTRIBUTION)


def make_shares(cohort: Cohort) -> pd.DataFrame:
    """Return shares that sum to 1 within a class; the first modality has the largest."""
    falling = 1 / np.arange(1, len(cohort.modalities) + 1) ** 2
    shares = falling / falling.sum()
    rows = [
        (label, name, share, share - HALF, share + HALF, 0.6 - 0.1 * place, 0.4)
        for label in cohort.classes
        for place, (name, share) in enumerate(zip(cohort.modalities, shares, strict=True))
    ]
    return pd.DataFrame(rows, columns=SHARE)


def make_status(methods: Sequence[str], failure: str | None = None) -> pd.DataFrame:
    """Return how every run ended; `failure` is why that of the smallest share failed."""
    runs = [("probes", np.nan), *(("share", share) for share in SHARES)]
    runs += [("leak", np.nan), ("labels", np.nan)]
    rows = [
        (kind, level, method, "failed", failure)
        if failure and level == SHARES[0]
        else (kind, level, method, "ok", None)
        for kind, level in runs
        for method in methods
    ]
    return pd.DataFrame(rows, columns=STATUS)


def robustness_tables(
    cohort: Cohort, methods: Sequence[str], followed: str = "macro_f1"
) -> dict[str, pd.DataFrame]:
    """Return all tables of robustness and contributions; those of methods that ran have rows."""
    probed = [name for name in PROBED if name in methods]
    own = "balanced" in methods
    tables = {
        "robustness": make_robustness(cohort.modalities, probed, followed),
        "controls": make_controls(probed),
        "robustness_status": make_status(probed),
        "contributions": make_contributions(cohort.modalities, probed, followed),
        "embedding": make_embedding(cohort),
        "attribution": make_attribution(cohort),
        "attribution_modalities": make_shares(cohort),
    }
    empty = set() if own else {"embedding", "attribution", "attribution_modalities"}
    return {name: table[:0] if name in empty else table for name, table in tables.items()}


def settings(followed: str = "macro_f1", **robustness) -> dict:
    dataset = {
        "samples": "s.csv",
        "label": "l",
        "modalities": {"rna": {"path": "r.csv", "kind": "rna-log"}},
    }
    made = Configuration.model_validate(
        {"datasets": {"own": dataset}, "primary_metric": followed, "robustness": robustness}
    )
    return made.model_dump(mode="json")


def merged(change: dict) -> dict:
    """Return changes of sections with the other keys of these sections."""
    base = settings()
    return {
        key: {**base[key], **value} if isinstance(value, dict) else value
        for key, value in change.items()
    }
