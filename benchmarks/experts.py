"""Compare `pooled` with simple methods on real cohorts: regret, losses and calibration.

Run as ``PYTHONPATH=workflow python benchmarks/experts.py my.yaml``, where the workflow has
assembled the datasets of that configuration; ``--help`` lists the options. An interrupted run
continues where it stopped. Every cohort is split anew, with seeds from 300; `pooled`,
`unimodal-pooled` and six simple methods learn from the same folds. The best simple method is chosen
on the first two repeats, and regret (of macro-F1 what it scores more, of log-loss what it scores
less than `pooled`) is taken on the others; the best in hindsight, chosen on all repeats by either
metric, stands beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import altair as alt
import pandas as pd

from balmi.config.fingerprint import code_hash
from balmi.config.settings import Evaluation, Method
from balmi.data.splits import Split, as_splits, make_splits
from balmi.evaluation.held_out import probabilities_of
from balmi.evaluation.metrics import calibration_gaps
from balmi.evaluation.scoring import performance_table
from balmi.evaluation.statistics import corrected_interval, holm
from balmi.methods.peers.bases import fit_bases
from balmi.methods.peers.run import baseline_stage
from balmi.preprocess.features import Features
from balmi.report.kit.svg import SOFT
from drawings import COLOURS, standalone
from phases import Phase, conclude
from rows import resumed

if TYPE_CHECKING:
    from balmi.data.cohort import Cohort

TARGET = "make study PHASE=experts"
FIRST_SEED, REPEATS, FOLDS = 300, 5, 5
MANY_SAMPLES = 2000  # of more, one repeat is dealt
CHOSEN_ON = 2  # repeats
PEERS = (
    *(Method.STACKED_LR, Method.UNIMODAL_LR, Method.LATE_FUSION),
    *(Method.CONCAT_LR, Method.CONCAT_FOREST, Method.CONCAT_SVM),
)
METHODS = (Method.POOLED, Method.UNIMODAL_POOLED, *PEERS)
METRICS = ("macro_f1", "log_loss")
GAP = "gap of bin "  # of calibration
OWN = str(Method.POOLED)
KEYS = ("cohort", "repeat", "fold")
COLUMNS = ("cohort", "samples", "rarest", "repeat", "fold", "method", "metric", "value", "code")
MAX_FEATURES = 2000
FEWEST_OF_CLASS, SAMPLES_OF_ECE = 20, 150


def scored(name: str, code: str, cohort: Cohort, features: Features, split: Split) -> pd.DataFrame:
    """Return the scores of every method on one fold."""
    bases = fit_bases(cohort, features, [split])
    tables = []
    for method in METHODS:
        _, result = baseline_stage(method, cohort, features, [split], bases)
        if len(result.predictions):
            tables.append(performance_table(result.predictions, cohort, METRICS))
        if method == Method.POOLED:
            tables.append(gaps_of(result.predictions, cohort, split))
    table = pd.concat(tables, ignore_index=True)
    table = table[table["method"].isin([str(method) for method in METHODS])]
    counts = pd.Series(cohort.labels).value_counts()
    head = {"cohort": name, "samples": len(cohort.samples), "rarest": int(counts.min())}
    return table.assign(**head, code=code)[list(COLUMNS)]


def gaps_of(predictions: pd.DataFrame, cohort: Cohort, split: Split) -> pd.DataFrame:
    """Return the calibration gaps of `pooled` on one fold, which add up over folds."""
    own = predictions[predictions["method"] == OWN]
    labels = cohort.labels[cohort.positions(own["sample"])]
    gaps = calibration_gaps(labels, probabilities_of(own, cohort.classes))
    rows = {"metric": [f"{GAP}{place}" for place in range(len(gaps))], "value": gaps}
    return pd.DataFrame(rows).assign(method=OWN, repeat=split.repeat, fold=split.fold)


def calibration_errors(found: pd.DataFrame) -> pd.Series:
    """Return the calibration error of `pooled` per cohort: of all held-out samples of a repeat.

    Parameters
    ----------
    found
        Rows of ``experts.csv``.
    """
    rows, keys = found[found["metric"].str.startswith(GAP)], ["cohort", "samples", "repeat"]
    rows = rows[rows.groupby(keys)["fold"].transform("nunique") == FOLDS]
    gaps = rows.groupby([*keys, "metric"])["value"].sum().abs().groupby(keys).sum().reset_index()
    return (gaps["value"] / gaps["samples"]).groupby(gaps["cohort"]).mean()


def cells_of(cohort: Cohort, repeats: int) -> tuple[Features, list[Split]]:
    """Return the features and folds of a cohort."""
    count = 1 if len(cohort.samples) > MANY_SAMPLES else repeats
    evaluation = Evaluation(repeats=count, folds=FOLDS, seed=FIRST_SEED)
    splits = as_splits(make_splits(cohort, evaluation), cohort)
    return Features(cohort, MAX_FEATURES), splits


def regrets(found: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return how much the best simple method is better than `pooled`, per cohort.

    Parameters
    ----------
    found
        Rows of ``experts.csv``.
    metric
        A metric.

    Returns
    -------
    pandas.DataFrame
        Columns cohort, samples, rarest, own, chosen, regret, best, hindsight, and losses: simple
        methods that are better by the corrected test over all folds after Holm.
    """
    rows, sign = [], -1 if metric == "log_loss" else 1
    for name, part in found[found["metric"] == metric].groupby("cohort", sort=False):
        scores = part.pivot_table(index=["repeat", "fold"], columns="method", values="value")
        scores = sign * scores.dropna(axis=1)
        peers = scores[[str(peer) for peer in PEERS if str(peer) in scores]]
        repeat = scores.index.get_level_values("repeat")
        early = repeat < CHOSEN_ON
        later = ~early if (~early).any() else early
        chosen = peers[early].mean().idxmax()
        best = peers.mean().idxmax()
        gaps = peers.rsub(scores[OWN], axis=0)
        intervals = [corrected_interval(gaps[peer].to_numpy(), 1 / (FOLDS - 1)) for peer in peers]
        adjusted = holm([each.p for each in intervals])
        lost = [
            peer
            for peer, each, p in zip(peers, intervals, adjusted, strict=True)
            if each.upper < 0 and p <= 0.05
        ]
        first = part.iloc[0]
        rows.append(
            {
                **{"cohort": name, "samples": first["samples"], "rarest": first["rarest"]},
                **{"own": sign * scores[OWN].mean(), "chosen": chosen},
                "regret": (scores[chosen] - scores[OWN])[later].mean(),
                **{"best": best, "hindsight": (scores[best] - scores[OWN]).mean()},
                "losses": ", ".join(lost),
            }
        )
    return pd.DataFrame(rows)


def summary(found: pd.DataFrame) -> str:
    """Return the regrets as tables in Markdown."""
    lines = [f"# `pooled` against simple methods ({TARGET})", ""]
    for metric in ("macro_f1", "log_loss"):
        table = regrets(found, metric)
        counted = table[table["rarest"] >= FEWEST_OF_CLASS]
        mean, hindsight, worst = (
            table["regret"].mean(),
            table["hindsight"].mean(),
            table["regret"].max(),
        )
        lost = int((table["losses"] != "").sum())
        lines += [
            f"## {metric}",
            "",
            f"Mean regret {mean:+.4f} (hindsight {hindsight:+.4f}); worst {worst:+.3f},"
            f" {counted['regret'].max():+.3f} of cohorts with {FEWEST_OF_CLASS} samples in each"
            f" class; cohorts with a loss after Holm: {lost} of {len(table)}.",
            "",
            "| cohort | samples | rarest class | pooled | chosen on repeats 1 and 2 | regret |"
            " best in hindsight | regret in hindsight | losses |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        lines += [
            f"| {row.cohort} | {row.samples:,} | {row.rarest} | {row.own:.3f} | {row.chosen} |"
            f" {row.regret:+.3f} | {row.best} | {row.hindsight:+.3f} | {row.losses} |"
            for row in table.itertuples()
        ]
        lines.append("")
    errors = calibration_errors(found[found["samples"] > SAMPLES_OF_ECE])
    if len(errors):
        each = ", ".join(f"{name} {error:.3f}" for name, error in errors.items())
        lines.append(
            f"Calibration error of `pooled` over all held-out samples of a repeat, mean over"
            f" {len(errors)} cohorts above {SAMPLES_OF_ECE} samples: {errors.mean():.3f} ({each})."
        )
    return "\n".join(lines) + "\n"


def figure(found: pd.DataFrame) -> str:
    """Return the regrets of either metric as SVG, a mark per cohort."""
    panels = []
    for metric, title in (("macro_f1", "macro-F1"), ("log_loss", "log-loss, nats")):
        table = regrets(found, metric)[["cohort", "regret", "hindsight"]]
        rows = table.melt(["cohort"], var_name="chosen", value_name="value").to_dict("records")
        base = alt.Chart(alt.Data(values=rows)).encode(
            x=alt.X("value:Q", title=f"regret of {title}"),
            y=alt.Y("cohort:N", title=None),
            color=alt.Color(
                "chosen:N",
                title=None,
                scale=alt.Scale(domain=["regret", "hindsight"], range=list(COLOURS)),
                legend=alt.Legend(orient="top"),
            ),
        )
        zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color=SOFT).encode(x="zero:Q")
        panels.append(alt.layer(zero, base.mark_point(filled=True, size=45)).properties(width=300))
    return standalone(
        alt.hconcat(*panels),
        "experts",
        "Regret of the pool against the best simple method",
        "Right of zero a simple method is better: chosen on other repeats, or in hindsight.",
    )


def main() -> None:
    """Score the folds that the table lacks, and write summary and figure."""
    asked = Phase.asked(TARGET, __doc__, REPEATS)
    path, code = asked.folder / "experts.csv", code_hash(Path(__file__))
    done = resumed(path, COLUMNS, KEYS, code)
    for name, cohort in asked.cohorts():
        features, splits = cells_of(cohort, asked.repeats)
        waiting = [split for split in splits if (name, split.repeat, split.fold) not in done]
        if waiting:
            features.learn(split.fit for split in waiting)
            asked.score(scored, (name, code, cohort, features), waiting, path, name)
    conclude(path, KEYS, summary, figure)


if __name__ == "__main__":
    main()
