"""Plant an interaction into real measurements, and compare `pooled` with its best expert.

Run as ``PYTHONPATH=workflow python benchmarks/planted.py my.yaml``, where the workflow has
assembled the datasets of that configuration; ``--help`` lists the options. An interrupted run
continues where it stopped. Of a cohort the two modalities with the most features count, in the
samples that have both. One principal component of each, by ranks on a normal scale, are a and b;
the labels are drawn anew with log-odds

    STRENGTH ((1 - share) (a + b) / sqrt(2) + share f(a, b)),

where f is their product, or the product of their signs (XOR). Of either modality's first
`COMPONENTS` components those two are taken that rank samples least alike. Regret is what the best
expert of the pool, chosen in hindsight by the same scores, has more (macro-F1) or less (log-loss).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import altair as alt
import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

from balmi.config.fingerprint import code_hash
from balmi.config.settings import Evaluation, Method
from balmi.data.splits import Split, as_splits, make_splits
from balmi.evaluation.scoring import performance_table
from balmi.methods.deciding import Said
from balmi.methods.outcome import prediction_table
from balmi.methods.peers.run import training_side
from balmi.methods.pooled.method import fit_pooled, what_each_says
from balmi.preprocess.features import Features
from balmi.report.kit.svg import SOFT
from drawings import COLOURS, standalone
from phases import Phase, conclude, taken
from rows import resumed

if TYPE_CHECKING:
    from collections.abc import Callable

    from balmi.data.cohort import Cohort

TARGET = "make study PHASE=planted"
FIRST_SEED, REPEATS, FOLDS = 300, 2, 5
MAX_FEATURES, COMPONENTS = 2000, 5
STRENGTH = 3.0
KINDS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "product": lambda a, b: a * b,
    "xor": lambda a, b: np.sign(a) * np.sign(b),
}
# Kind and share; without any share both kinds are one.
DESIGNS = (("product", 0.0), *((kind, share) for kind in KINDS for share in (0.5, 1.0)))
METRICS = ("macro_f1", "log_loss")
OWN = str(Method.POOLED)
KEYS = ("cohort", "kind", "share", "repeat", "fold")
COLUMNS = (*KEYS, "samples", "name", "metric", "value", "code")
HEADER = ("cohort", "samples", "interaction", "share", OWN, "best expert", "scores", "regret")
LIMIT = 0.02


def normal_scores(values: np.ndarray) -> np.ndarray:
    """Return ranks on the scale of a standard normal distribution; (n,)."""
    return norm.ppf((rankdata(values) - 0.5) / len(values))


def factors(samples: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a component of each of two modalities, of all pairs the two least alike.

    Parameters
    ----------
    samples, others
        Measurements of either modality, of the same samples; (n, features) each.

    Returns
    -------
    tuple of numpy.ndarray
        (n,) each, on a normal scale.
    """
    from sklearn.decomposition import PCA

    first, second = (
        np.apply_along_axis(normal_scores, 0, PCA(COMPONENTS, random_state=0).fit_transform(each))
        for each in (samples, others)
    )
    alike = np.abs(first.T @ second)
    one, other = np.unravel_index(alike.argmin(), alike.shape)
    return first[:, one], second[:, other]


def log_odds(a: np.ndarray, b: np.ndarray, kind: str, share: float) -> np.ndarray:
    """Return the log-odds of the second class; (n,)."""
    return STRENGTH * ((1 - share) * (a + b) / np.sqrt(2) + share * KINDS[kind](a, b))


def planted(cohort: Cohort, kind: str, share: float) -> Cohort:
    """Return the samples of a cohort that have its two largest modalities, with labels anew."""
    two = sorted(cohort.modalities, key=lambda name: -len(cohort.features[name]))[:2]
    places = [cohort.modalities.index(name) for name in two]
    cohort = taken(cohort, two, np.flatnonzero(cohort.available[:, places].all(axis=1)))
    features = Features(cohort, MAX_FEATURES)
    everyone = np.arange(len(cohort.samples))
    tables = features.apply(features.fit(everyone)).features
    odds = log_odds(*factors(*(tables[name] for name in two)), kind, share)
    rng = np.random.default_rng([FIRST_SEED, *kind.encode(), int(100 * share)])
    labels = (rng.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(int)
    return replace(cohort, labels=labels, classes=("no", "yes"))


def scored(
    head: dict[str, str | float], cohort: Cohort, features: Features, split: Split
) -> pd.DataFrame:
    """Return the scores of the pools and of each of their experts on one fold."""
    fitted = features.fit(split.fit)
    pools = fit_pooled(training_side(cohort, features, fitted, split))
    tests = features.apply(fitted, split.test)
    said = pools.predict(tests)
    experts = what_each_says(pools.whole.experts, tests)
    said |= {f"expert:{name}": Said(probabilities) for name, probabilities in experts.items()}
    tables = [prediction_table(name, split, each, cohort) for name, each in said.items()]
    found = performance_table(pd.concat(tables, ignore_index=True), cohort, METRICS)
    found = found.rename(columns={"method": "name"}).assign(**head, samples=len(cohort.samples))
    return found[list(COLUMNS)]


def regrets(found: pd.DataFrame) -> pd.DataFrame:
    """Return scores, the best expert in hindsight and the regret, by cohort, design and metric.

    Parameters
    ----------
    found
        Rows of ``planted.csv``.
    """
    rows = []
    for (cohort, kind, share, metric), part in found.groupby(
        ["cohort", "kind", "share", "metric"], sort=False
    ):
        sign = -1 if metric == "log_loss" else 1
        means = sign * part.groupby("name")["value"].mean()
        experts = means[means.index.str.startswith("expert:")]
        rows.append(
            {
                **{"cohort": cohort, "kind": kind, "share": share, "metric": metric},
                **{"samples": part["samples"].iloc[0], "own": sign * means[OWN]},
                "best": experts.idxmax().removeprefix("expert:"),
                **{"of_best": sign * experts.max(), "regret": experts.max() - means[OWN]},
            }
        )
    return pd.DataFrame(rows)


def summary(found: pd.DataFrame) -> str:
    """Return the regrets as tables in Markdown."""
    lines = [
        f"# Interactions planted into real measurements ({TARGET})",
        "",
        f"Wanted: `pooled` within {LIMIT} of its best expert in hindsight at every share.",
    ]
    for metric in METRICS:
        table = regrets(found[found["metric"] == metric])
        lines += [
            "",
            f"## {metric}",
            "",
            f"Mean regret {table['regret'].mean():+.4f}, worst {table['regret'].max():+.3f}; within"
            f" {LIMIT} in {int((table['regret'] <= LIMIT).sum())} of {len(table)}.",
            "",
            f"| {' | '.join(HEADER)} |",
            "|" + " --- |" * len(HEADER),
        ]
        lines += [
            f"| {row.cohort} | {row.samples:,} | {row.kind if row.share else '-'} | {row.share:.0%}"
            f" | {row.own:.3f} | {row.best} | {row.of_best:.3f} | {row.regret:+.3f} |"
            for row in table.itertuples()
        ]
    return "\n".join(lines) + "\n"


def figure(found: pd.DataFrame) -> str:
    """Return macro-F1 of `pooled` and of its best expert as SVG, a panel per cohort."""
    table = regrets(found[found["metric"] == "macro_f1"])
    table["design"] = [
        f"{row.kind}, {row.share:.0%}" if row.share else "linear" for row in table.itertuples()
    ]
    names = {"own": OWN, "of_best": "best expert in hindsight"}
    rows = table.rename(columns=names).melt(["cohort", "design"], list(names.values()))
    base = alt.Chart(alt.Data(values=rows.to_dict("records"))).mark_point(filled=True, size=45)
    chart = base.encode(
        x=alt.X("value:Q", title="macro-F1", scale=alt.Scale(domain=[0.4, 1])),
        y=alt.Y("design:N", title=None, sort=list(dict.fromkeys(table["design"]))),
        color=alt.Color(
            "variable:N",
            title=None,
            scale=alt.Scale(domain=list(names.values()), range=list(COLOURS)),
            legend=alt.Legend(orient="top"),
        ),
    )
    faceted = chart.properties(width=220).facet(alt.Column("cohort:N", title=None))
    return standalone(
        faceted.configure_header(labelColor=SOFT),
        "planted",
        "The pool and its best expert where labels are drawn anew",
        "From no interaction between two modalities to nothing else.",
    )


def main() -> None:
    """Score the folds that the table lacks, and write summary and figure."""
    asked = Phase.asked(TARGET, __doc__, REPEATS)
    path, code = asked.folder / "planted.csv", code_hash(Path(__file__))
    done = resumed(path, COLUMNS, KEYS, code)
    for name, real in asked.cohorts():
        for kind, share in DESIGNS:
            cohort = planted(real, kind, share)
            evaluation = Evaluation(repeats=asked.repeats, folds=FOLDS, seed=FIRST_SEED)
            splits = as_splits(make_splits(cohort, evaluation), cohort)
            head = {"cohort": name, "kind": kind, "share": share}
            waiting = [
                split for split in splits if (*head.values(), split.repeat, split.fold) not in done
            ]
            if waiting:
                features = Features(cohort, MAX_FEATURES)
                features.learn(split.fit for split in waiting)
                same = ({**head, "code": code}, cohort, features)
                asked.score(scored, same, waiting, path, f"{name}, {kind} {share:.0%}")
    conclude(path, KEYS, summary, figure)


if __name__ == "__main__":
    main()
