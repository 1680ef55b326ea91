"""A small synthetic cohort with tables that keep the contract."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from balmi.config.settings import Settings
from balmi.data.cohort import Cohort, write_cohort
from balmi.data.files import write_table
from balmi.evaluation.metrics import METRICS
from balmi.evaluation.statistics import corrected_interval
from balmi.report.render import ReportInputs

if TYPE_CHECKING:
    from pathlib import Path

REPEATS, FOLDS = 2, 3
STRENGTHS = {
    "balanced": 2.4,
    "uniform": 2.2,
    "concat-mlp": 1.6,
    "concat-lr": 1.5,
    "stacked-lr": 2.3,
    "unimodal-lr": 1.4,
    "late-fusion": 1.9,
}
NETWORKS = ("balanced", "uniform")
PERFORMANCE = ["method", "repeat", "fold", "metric", "value"]
COMPARISONS = ["method", "reference", "metric", "difference", "lower", "upper", "p"]
INFORMATION = ["quantity", "modality", "other", "estimate", "lower", "upper", "null95"]
INFORMATION += ["p_value", "n", "components"]
TRAINING = ["method", "stage", "repeat", "fold", "epoch", "modality", "weight", "loss"]
TRAINING += ["validation_loss", "macro_f1", "gradient_share"]

SCRIPT = "</script><script>alert(1)</script>"
ATTRIBUTE = '"><img src=x onerror=alert(1)>'
FORMULA = "=1+1"
UNICODE = "Ünïcode ✓"
LONG = "long " * 60
HOSTILE = (SCRIPT, ATTRIBUTE, FORMULA, UNICODE, LONG)


@dataclass(frozen=True)
class Names:
    """What a synthetic dataset is made of."""

    dataset: str = "synthetic"
    classes: tuple[str, ...] = ("Basal", "Her2", "LumA", "LumB")
    modalities: tuple[str, ...] = ("rna", "methylation", "mirna")
    feature: str = "feature"
    methods: tuple[str, ...] = tuple(STRENGTHS)
    failed: tuple[tuple[str, str, str], ...] = ()
    samples: int = 180
    epochs: int = 40


def make_cohort(names: Names) -> Cohort:
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, len(names.classes) + 1)
    labels = np.sort(rng.choice(len(names.classes), names.samples, p=shares / shares.sum()))
    values = {}
    for place, name in enumerate(names.modalities):
        table = rng.normal(size=(names.samples, 4 + place))
        if place:
            table[rng.random(names.samples) < 0.1 * place] = np.nan
        values[name] = table
    return Cohort(
        samples=np.array([f"s{number:04d}" for number in range(names.samples)]),
        labels=labels,
        classes=names.classes,
        groups=None,
        values=values,
        features={
            name: tuple(f"{names.feature}-{name}-{number}" for number in range(table.shape[1]))
            for name, table in values.items()
        },
        kinds=dict.fromkeys(names.modalities, "generic"),
        provenance={
            "dataset": names.dataset,
            "label": "subtype",
            "group": None,
            "dropped": {
                "samples without a label": 3,
                "labelled samples without any measurement": 0,
            },
        },
    )


def make_predictions(cohort: Cohort, strengths: dict[str, float]) -> pd.DataFrame:
    parts = []
    for repeat in range(REPEATS):
        rng = np.random.default_rng(repeat)
        shared = rng.gumbel(size=(len(cohort.samples), len(cohort.classes)))
        fold = rng.permutation(np.arange(len(cohort.samples)) % FOLDS)
        for method, strength in strengths.items():
            own = rng.gumbel(size=shared.shape)
            logits = (
                0.8 * shared + 0.2 * own + strength * np.eye(len(cohort.classes))[cohort.labels]
            )
            odds = np.exp(logits)
            table = pd.DataFrame({"sample": cohort.samples, "repeat": repeat, "fold": fold})
            table["method"] = method
            for code, name in enumerate(cohort.classes):
                table[f"p:{name}"] = odds[:, code] / odds.sum(axis=1)
            parts.append(table)
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(
            columns=[
                "sample",
                "repeat",
                "fold",
                "method",
                *(f"p:{name}" for name in cohort.classes),
            ]
        )
    )


def make_performance(cohort: Cohort, predictions: pd.DataFrame) -> pd.DataFrame:
    columns = [f"p:{name}" for name in cohort.classes]
    rows = []
    for (method, repeat, fold), table in predictions.groupby(["method", "repeat", "fold"]):
        labels = cohort.labels[cohort.positions(table["sample"].to_numpy(dtype=str))]
        for metric, function in METRICS.items():
            value = function(labels, table[columns].to_numpy())
            rows.append((method, repeat, fold, metric, value))
    return pd.DataFrame(rows, columns=PERFORMANCE)


def make_comparisons(performance: pd.DataFrame, methods: list[str]) -> pd.DataFrame:
    rows = []
    for metric, table in performance.groupby("metric"):
        wide = table.pivot(index=["repeat", "fold"], columns="method", values="value")
        for method, reference in permutations(methods, 2):
            if method != "balanced" and reference != "unimodal-lr":
                continue
            values = (wide[method] - wide[reference]).to_numpy()
            found = corrected_interval(values, 1 / (FOLDS - 1))
            rows.append((method, reference, metric, found.mean, found.lower, found.upper, found.p))
    return pd.DataFrame(rows, columns=COMPARISONS)


def make_information(names: Names) -> pd.DataFrame:
    empty = (np.nan,) * 4
    rows: list[tuple] = [("label_entropy", None, None, 1.1, *empty, names.samples, np.nan)]
    for place, name in enumerate(names.modalities):
        value = 0.7 / (place + 1) ** 2 - 0.1 * (place > 1)
        limits = (value - 0.09, value + 0.09)
        null = (0.03, 0.01 if value > 0.03 else 0.62)
        rows.append(("label_information", name, None, value, *limits, *null, names.samples, 12))
    for first, second in permutations(names.modalities, 2):
        if first < second:
            cells = (0.4, 0.3, 0.5, 0.05, 0.01, names.samples, 12)
            rows.append(("pairwise_information", first, second, *cells))
            cells = (0.2, 0.1, 0.3, np.nan, np.nan, names.samples, np.nan)
            rows.append(("label_difference", first, second, *cells))
        margin = 0.2 * (names.modalities.index(second) - names.modalities.index(first))
        cells = (margin, margin - 0.25, margin + 0.25, np.nan, np.nan, names.samples, np.nan)
        rows.append(("complementarity_margin", first, second, *cells))
    return pd.DataFrame(rows, columns=INFORMATION).astype({"components": "Int64"})


def make_training(names: Names, methods: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    parts = []
    for method in methods:
        for repeat in range(REPEATS):
            for fold in range(FOLDS):
                epoch = np.arange(names.epochs - 3 * fold)
                for place, name in enumerate([*names.modalities, "joint"]):
                    rise = 1 - np.exp(-epoch / (8 + 4 * place))
                    noise = 0.02 * rng.normal(size=len(epoch))
                    table = pd.DataFrame({"epoch": epoch, "modality": name})
                    table["weight"] = 1 + 0.2 * (place - 1) * rise
                    table["loss"] = 1.2 - 0.9 * rise + noise
                    table["validation_loss"] = 1.3 - 0.6 * rise + noise
                    table["macro_f1"] = 0.3 + (0.45 - 0.06 * place) * rise + noise
                    table["gradient_share"] = np.nan if name == "joint" else 1 / (place + 2) + noise
                    parts.append(
                        table.assign(method=method, stage="joint", repeat=repeat, fold=fold)
                    )
    if not parts:
        return pd.DataFrame(columns=TRAINING)
    return pd.concat(parts, ignore_index=True)[TRAINING]


def make_methods(names: Names, ran: list[str]) -> pd.DataFrame:
    rows = [(name, "ok", None, "cpu", 1.5) for name in ran]
    rows += [(name, status, reason, None, 0.0) for name, status, reason in names.failed]
    return pd.DataFrame(rows, columns=["method", "status", "reason", "device", "seconds"])


def make_settings(names: Names) -> Settings:
    file = {"path": "values.csv", "kind": "generic"}
    dataset = {"samples": "samples.csv", "label": "subtype", "modalities": {"rna": file}}
    evaluation = {"repeats": REPEATS, "folds": FOLDS}
    return Settings.model_validate({"datasets": {"own": dataset}, "evaluation": evaluation})


def write_dataset(folder: Path, names: Names = Names()) -> ReportInputs:
    """Write the files of a synthetic dataset and return them as the report's inputs."""
    failed = {name for name, _, _ in names.failed}
    ran = [name for name in names.methods if name not in failed]
    strengths = {name: STRENGTHS[name] for name in ran}
    if "unimodal-lr" in ran:
        strengths |= {
            f"unimodal-lr/{name}": 1.4 - 0.3 * place for place, name in enumerate(names.modalities)
        }
    cohort = make_cohort(names)
    predictions = make_predictions(cohort, strengths)
    performance = make_performance(cohort, predictions)
    tables = {
        "predictions": predictions,
        "performance": performance,
        "comparisons": make_comparisons(performance, list(strengths)),
        "information": make_information(names),
        "training": make_training(names, [name for name in NETWORKS if name in ran]),
        "methods": make_methods(names, ran),
    }
    paths = {}
    for name, table in tables.items():
        ending = "parquet" if name in ("predictions", "training") else "csv"
        paths[name] = folder / f"{name}.{ending}"
        write_table(table, paths[name])
    write_cohort(cohort, folder / "cohort.h5mu")
    settings = make_settings(names).model_dump(mode="json")
    return ReportInputs(
        dataset=names.dataset,
        cohort=folder / "cohort.h5mu",
        settings=settings,
        dataset_settings=settings["datasets"]["own"],
        versions={"balmi": "0.1.0", "python": "3.11"},
        commit="0123abc",
        **paths,
    )


def hostile_names() -> Names:
    return Names(
        dataset=SCRIPT,
        classes=(ATTRIBUTE, SCRIPT, FORMULA, UNICODE, LONG),
        modalities=('"><svg onload=alert(1)>', "=1+1", LONG.strip()),
        feature=SCRIPT,
        failed=(("concat-mlp", "failed", f"{SCRIPT} {ATTRIBUTE}"),),
    )
