"""Measure whether the gain of distillation changes its sign with the complementarity margin.

Run as ``PYTHONPATH=workflow python benchmarks/complementarity.py``; ``--help`` lists the
options. An interrupted run continues where it stopped. Data sets are those of the catalogue's
``simulated-gaussian``, with its shared information set to each value of a grid. Their margin is
planted, and measured again on held-out representations; their gain is that of the rule
``observe_gains``, at the largest strength of distillation and at the default one.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import altair as alt
import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed, parallel_config
from tqdm import tqdm

from balmi.config.fingerprint import code_hash
from balmi.config.settings import (
    Design,
    Distillation,
    Evaluation,
    Information,
    Model,
    Settings,
    Simulation,
    Training,
)
from balmi.data.cohort import Cohort
from balmi.data.files import write_table
from balmi.data.simulate import SimulatedCohort, simulate_cohort
from balmi.data.splits import Split, make_splits, read_splits
from balmi.evaluation.statistics import corrected_interval
from balmi.experiments.gains.observe import observed_gains
from balmi.information.measure import measure_cohort
from balmi.networks.data import replica_data
from balmi.preprocess.features import Features
from balmi.report.kit.svg import SOFT
from checksums import enough, needed, record
from drawings import COLOURS, standalone

RESULTS = Path(__file__).parent / "results"
TARGET = "make benchmark-complementarity"
SHARED = (0.0, 0.03, 0.07, 0.13, 0.2, 0.3, 0.5, 0.8, 1.2)
STRENGTHS = (1.0, Distillation().strength)
MODEL = Model(graph_weight=0)
INFORMATION = Information(permutations=19)
TAUGHT = ("teacher", "student")


def assembled(made: SimulatedCohort) -> Cohort:
    """Return a simulated cohort as it would be assembled from its files."""
    classes, labels = np.unique(made.samples["outcome"], return_inverse=True)
    return Cohort(
        samples=made.samples.index.to_numpy(dtype=str),
        labels=labels,
        classes=tuple(classes),
        groups=None,
        values={name: table.to_numpy() for name, table in made.modalities.items()},
        features={name: tuple(table.columns) for name, table in made.modalities.items()},
        kinds=dict.fromkeys(made.modalities, "generic"),
        provenance={},
    )


def splits_of(cohort: Cohort, seed: int) -> list[Split]:
    """Return the splits of one repeat of the default cross-validation."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "splits.parquet"
        write_table(make_splits(cohort, Evaluation(repeats=1, seed=seed)), path)
        return read_splits(path, cohort)


def measured_margins(cohort: Cohort, features: Features) -> pd.DataFrame:
    """Return the margins that the workflow measures: columns teacher, student, margin."""
    table = measure_cohort(cohort, features, INFORMATION)
    table = table[table["quantity"] == "complementarity_margin"]
    names = {"modality": "teacher", "other": "student", "estimate": "margin"}
    return table.rename(columns=names)[list(names.values())]


def study(shared: float, seed: int) -> pd.DataFrame:
    """Return margins and gains of one data set.

    Parameters
    ----------
    shared
        I(T; S), nats.
    seed
        Seed of the data, the splits and the training. Equal seeds draw the same numbers at every
        value of the grid.

    Returns
    -------
    pandas.DataFrame
        A row per teacher, student and strength.
    """
    torch.set_num_threads(1)
    settings = Simulation(shared_information=shared, seed=seed)
    made = simulate_cohort(settings, Design.GAUSSIAN)
    cohort = assembled(made)
    features = Features(cohort, cohort.tables["student"].shape[1])
    data = replica_data(cohort, features, splits_of(cohort, seed), None, torch.device("cpu"))
    tables = []
    for strength in STRENGTHS:
        gains = observed_gains(
            data,
            Settings(
                model=MODEL,
                training=Training(seed=seed),
                distillation=Distillation(strength=strength),
            ),
            lambda name: lambda *call: None,
        )
        means = gains.groupby(["teacher", "student"])[["macro_f1", "macro_f1_alone"]].mean()
        tables.append(means.reset_index().assign(strength=strength))
    table = pd.concat(tables, ignore_index=True)
    table["planted"] = shared - table["student"].map(made.truth)
    table = table.merge(measured_margins(cohort, features), on=["teacher", "student"], how="left")
    return table.assign(shared=shared, seed=seed, gain=table["macro_f1"] - table["macro_f1_alone"])


def run(seeds: range, jobs: int, path: Path) -> None:
    """Study all data sets that the file does not hold yet, and write their rows into it."""
    code = code_hash(Path(__file__))
    table = pd.read_csv(path) if path.is_file() else pd.DataFrame(columns=["code"])
    table = table[table["code"] == code]
    done = set(zip(table.get("shared", ()), table.get("seed", ()), strict=True))
    cells = [(shared, seed) for seed in seeds for shared in SHARED if (shared, seed) not in done]
    tables = [table] if len(table) else []
    with parallel_config(backend="loky", n_jobs=jobs, inner_max_num_threads=1):
        found = Parallel(return_as="generator")(delayed(study)(*cell) for cell in cells)
        for rows in tqdm(found, total=len(cells), unit="data set"):
            tables.append(rows.assign(code=code))
            order = ["teacher", "student", "strength", "shared", "seed"]
            table = pd.concat(tables, ignore_index=True)
            table = table[[*order, *table.columns.drop(order)]].sort_values(order)
            write_table(table.round(5), path)


def summarised(table: pd.DataFrame) -> pd.DataFrame:
    """Return means over data sets, and the limits of t-intervals of 95 %."""
    rows = []
    keys = ["teacher", "student", "strength", "shared"]
    for values, part in table.groupby(keys):
        row = dict(zip(keys, values, strict=True)) | {"sets": len(part)}
        row["alone"] = part["macro_f1_alone"].mean()
        row["planted"] = part["planted"].iloc[0]
        for name in ("margin", "gain"):
            interval = corrected_interval(part[name].to_numpy(), 0.0)
            row |= {name: interval.mean, f"{name}_lower": interval.lower}
            row[f"{name}_upper"] = interval.upper
        rows.append(row)
    return pd.DataFrame(rows)


def crossing(margins: pd.Series, gains: pd.Series) -> float:
    """Return where the gain first turns positive for good, by linear interpolation."""
    x, y = margins.to_numpy(), gains.to_numpy()
    last = int(np.flatnonzero(y <= 0).max(initial=-1))
    if last in (-1, len(y) - 1):
        return float("nan")
    return float(np.interp(0, y[last : last + 2], x[last : last + 2]))


def _interval(row: pd.Series, name: str) -> str:
    value, lower, upper = (row[key] for key in (name, f"{name}_lower", f"{name}_upper"))
    return f"{value:+.3f} ({lower:+.3f} to {upper:+.3f})"


def _pair_table(summary: pd.DataFrame) -> list[str]:
    strengths = sorted(summary["strength"].unique(), reverse=True)
    head = ["shared", "planted margin", "measured margin", "macro-F1 alone"]
    head += [f"gain at strength {strength:g}" for strength in strengths]
    lines = [f"| {' | '.join(head)} |", f"|{'---:|' * len(head)}"]
    for shared, part in summary.groupby("shared"):
        part = part.set_index("strength")
        first = part.loc[strengths[0]]
        cells = [f"{shared:.2f}", f"{first['planted']:+.3f}", _interval(first, "margin")]
        cells += [f"{first['alone']:.3f}"]
        cells += [_interval(part.loc[strength], "gain") for strength in strengths]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def markdown(table: pd.DataFrame, summary: pd.DataFrame) -> str:
    """Return the tables of both ordered pairs, and where the gain changes its sign."""
    seeds = sorted(table["seed"].unique())
    settings = Simulation()
    text = [
        "# Does the gain of distillation change its sign with the margin?",
        "",
        f"`simulated-gaussian`, {settings.samples} samples, {settings.features} features, seeds"
        f" {seeds[0]} to {seeds[-1]} ({len(seeds)} data sets per row), five folds. Nats, and"
        " differences of macro-F1; in brackets 95 % t-intervals over data sets.",
        "",
        "## The student, taught by the teacher",
        "",
    ]
    of_pair = dict(list(summary.groupby(["teacher", "student"])))
    text += [*_pair_table(of_pair[TAUGHT]), ""]
    for strength, part in of_pair[TAUGHT].groupby("strength", sort=False):
        planted, measured = (crossing(part[name], part["gain"]) for name in ("planted", "margin"))
        text.append(
            f"- At strength {strength:g} the gain does not change its sign."
            if np.isnan(planted)
            else f"- At strength {strength:g} the gain changes its sign at a planted margin of"
            f" {planted:+.3f} nats and a measured margin of {measured:+.3f} nats."
        )
    text += [
        "",
        "## The teacher, taught by the student",
        "",
        "Not what the design was made for: all features of the teacher measure the same, so that"
        " there is hardly a direction to learn, and no margin leaves room for a gain.",
        "",
    ]
    text += [*_pair_table(of_pair[TAUGHT[::-1]]), ""]
    return "\n".join(text)


def _panel(rows: list[dict[str, object]], margin: str, title: str) -> alt.LayerChart:
    """Return the gain against one of the margins, with intervals."""
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X(f"{margin}:Q", title=title),
        y=alt.Y("gain:Q", title="gain in macro-F1"),
        color=alt.Color(
            "strength:N",
            title=None,
            scale=alt.Scale(domain=list(STRENGTHS), range=list(COLOURS)),
            legend=alt.Legend(orient="top", labelExpr="'strength ' + datum.label"),
        ),
    )
    zero = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(color=SOFT)
    layers = [zero.encode(x="zero:Q"), zero.encode(y="zero:Q")]
    layers += [base.mark_line(), base.mark_point(filled=True, size=45)]
    layers.append(base.mark_rule().encode(y="gain_lower:Q", y2="gain_upper:Q"))
    if f"{margin}_lower" in rows[0]:
        layers.append(base.mark_rule().encode(x=f"{margin}_lower:Q", x2=f"{margin}_upper:Q"))
    return alt.layer(*layers).properties(width=330, height=280)


def drawing(summary: pd.DataFrame) -> str:
    """Return the figure of the student's gain against both margins as SVG."""
    taught = summary[(summary["teacher"] == TAUGHT[0]) & (summary["student"] == TAUGHT[1])]
    rows = taught.to_dict("records")
    titles = {"planted": "planted margin, nats", "margin": "measured margin, nats"}
    return standalone(
        alt.hconcat(*(_panel(rows, margin, title) for margin, title in titles.items())),
        "complementarity",
        "Gain of distillation against the complementarity margin",
        "Gain in macro-F1 against planted and measured margin, with 95 % intervals over data sets.",
    )


def main() -> None:
    """Run the benchmark and write its table, its summary and its figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=2000, help="first seed")
    parser.add_argument("--sets", type=int, default=10, help="data sets per value of the grid")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="where results are written")
    parser.add_argument("--summary", action="store_true", help="of the table alone: run nothing")
    arguments = parser.parse_args()
    if arguments.sets < 2:
        parser.error("--sets: an interval over data sets needs at least two of them")
    seeds = range(arguments.seed, arguments.seed + arguments.sets)
    path = arguments.folder / "complementarity.csv"
    if not arguments.summary:
        run(seeds, arguments.jobs, path)
    table = pd.read_csv(needed(path, TARGET))
    table = table[table["seed"].isin(seeds)]
    enough(table["seed"].nunique(), 2, path, TARGET)  # an interval needs two
    summary = summarised(table)
    files = {"md": markdown(table, summary), "svg": drawing(summary)}
    for ending, text in files.items():
        path.with_suffix(f".{ending}").write_text(text, encoding="utf-8")
    record(path)


if __name__ == "__main__":
    main()
