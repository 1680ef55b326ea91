"""Measure how often the verdict is wrong where the truth is known.

Run as ``PYTHONPATH=workflow python tests/benchmark/verdicts.py``; ``--help`` lists the options. An
interrupted run continues where it stopped. Simulated cohorts go through the whole method, from
splits to the corrected interval of macro-F1 and its verdict. Three kinds have no true difference:
a modality beside its own copy against the modality alone, permuted labels, and `balanced` against
itself with another seed. In a fourth, two modalities together are better than the best one by a
gain that is measured apart, on many test samples.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed, parallel_config
from scipy.stats import binomtest
from tqdm import tqdm

from balmi.config.fingerprint import code_hash
from balmi.config.settings import Evaluation, Information, Method, Training
from balmi.data.cohort import Cohort
from balmi.data.files import write_table
from balmi.data.splits import as_splits, make_splits
from balmi.evaluation.metrics import macro_f1
from balmi.evaluation.statistics import corrected_interval, split_ratio
from balmi.evaluation.verdicts import Verdict, verdict
from balmi.outcome import PROBABILITY_PREFIX
from balmi.training.pipeline import PipelineSettings, run_pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from balmi.data.splits import Split

RESULTS = Path(__file__).parent / "results"
CLASSES = ("alpha", "beta", "gamma")
SHARES = (0.5, 0.3, 0.2)
LATENT = 2
FEATURES = 12
# Of the two modalities, in standard deviations: chosen on seeds from 900000 so that combining them
# gains about .05 macro-F1 at 640 training samples.
SEPARATIONS = {"first": 1.4, "second": 0.8}
TRAINING, TESTING = 640, 20_000
MEMBERS, PERMUTATIONS = 2, 19
OTHER_SEED = 1_000_000
BALANCED, SINGLE, STACKED = Method.BALANCED, Method.UNIMODAL_LR, Method.STACKED_LR
HEAD = ("kind", "comparison", "seed")
COLUMNS = (*HEAD, "difference", "lower", "upper", "seconds", "code")
MOST_FALSE, MOST_FALSE_UPPER, FEWEST_FOUND = 0.05, 0.09, 0.80


def simulated(samples: int, seed: int, separations: Mapping[str, float] = SEPARATIONS) -> Cohort:
    """Draw a cohort whose modalities measure the class independently of each other.

    Behind each modality lies the class's corner of an equilateral triangle plus standard normal
    noise. Every feature is a random combination of the two coordinates plus standard normal noise.

    Parameters
    ----------
    samples
        Number of samples; classes have the shares of `SHARES`.
    seed
        Seed of the draws.
    separations
        Modality -> distance of the corners from their centre, in standard deviations of the noise.
    """
    rng = np.random.default_rng(seed)
    counts = np.rint(np.array(SHARES) * samples).astype(int)
    labels = rng.permutation(np.repeat(np.arange(len(CLASSES)), counts))
    angles = 2 * np.pi * labels / len(CLASSES)
    corners = np.column_stack([np.cos(angles), np.sin(angles)])
    values = {}
    for name, separation in separations.items():
        latent = separation * corners + rng.standard_normal((len(labels), LATENT))
        loadings = rng.standard_normal((LATENT, FEATURES))
        values[name] = latent @ loadings + rng.standard_normal((len(labels), FEATURES))
    return _cohort(labels, values)


def _cohort(labels: np.ndarray, values: Mapping[str, np.ndarray]) -> Cohort:
    return Cohort(
        samples=np.array([f"s{row:05d}" for row in range(len(labels))]),
        labels=labels,
        classes=CLASSES,
        groups=None,
        values=dict(values),
        features={
            name: tuple(f"{name}-{place:02d}" for place in range(table.shape[1]))
            for name, table in values.items()
        },
        kinds=dict.fromkeys(values, "generic"),
        provenance={},
    )


def splits_of(cohort: Cohort, seed: int, repeats: int) -> list[Split]:
    """Return the splits of some repeats of five folds."""
    return as_splits(make_splits(cohort, Evaluation(repeats=repeats, seed=seed)), cohort)


def predicted(
    methods: Sequence[Method], cohort: Cohort, splits: Sequence[Split], seed: int
) -> pd.DataFrame:
    """Return the predictions of methods, each of which has to end well."""
    settings = PipelineSettings(
        information=Information(fold_permutations=PERMUTATIONS, seed=seed),
        training=Training(members=MEMBERS, seed=seed),
    )
    found = run_pipeline(methods, cohort, splits, settings)
    ended = {status.status for status in found.statuses}
    if ended != {"ok"}:
        raise RuntimeError(f"methods did not end well: {found.statuses}")
    return found.predictions


def scores(predictions: pd.DataFrame, cohort: Cohort, method: str) -> np.ndarray:
    """Return the macro-F1 of a method in every fold, in their order."""
    columns = [f"{PROBABILITY_PREFIX}{name}" for name in cohort.classes]
    own = predictions[predictions["method"] == method]
    return np.array(
        [
            macro_f1(cohort.labels[cohort.positions(part["sample"])], part[columns].to_numpy())
            for _, part in own.groupby(["repeat", "fold"])
        ]
    )


def compared(found: pd.DataFrame, cohort: Cohort, method: str, reference: str) -> dict[str, object]:
    """Return the corrected interval of the difference of two methods among the predictions."""
    difference = scores(found, cohort, method) - scores(found, cohort, reference)
    interval = corrected_interval(difference, split_ratio(found, len(cohort.samples)))
    return {
        "comparison": f"{method} − {reference}",
        "difference": interval.mean,
        "lower": interval.lower,
        "upper": interval.upper,
    }


Rows = list[dict[str, object]]


def duplicated(samples: int, repeats: int, seed: int) -> Rows:
    """Compare `balanced` on a modality and its copy with `balanced` on the modality alone."""
    alone = simulated(samples, seed, {"first": SEPARATIONS["first"]})
    twice = replace(
        alone,
        values=alone.values | {"copy": alone.values["first"].copy()},
        features=alone.features | {"copy": alone.features["first"]},
        kinds=alone.kinds | {"copy": "generic"},
    )
    names = {"with its copy": twice, "a modality alone": alone}
    splits = splits_of(alone, seed, repeats)
    found = [
        predicted([BALANCED], cohort, splits, seed).assign(method=name)
        for name, cohort in names.items()
    ]
    return [compared(pd.concat(found), alone, *names)]


def shuffled(samples: int, repeats: int, seed: int) -> Rows:
    """Compare `balanced` with two peers where labels are permuted among samples."""
    cohort = simulated(samples, seed)
    cohort = replace(cohort, labels=np.random.default_rng((seed, 1)).permutation(cohort.labels))
    splits = splits_of(cohort, seed, repeats)
    found = predicted([BALANCED, STACKED, SINGLE], cohort, splits, seed)
    return [compared(found, cohort, BALANCED, reference) for reference in (STACKED, SINGLE)]


def reseeded(samples: int, repeats: int, seed: int) -> Rows:
    """Compare `balanced` with itself when networks start and learn from another seed."""
    cohort = simulated(samples, seed)
    splits = splits_of(cohort, seed, repeats)
    names = {"one seed": seed, "another seed": seed + OTHER_SEED}
    found = [
        predicted([BALANCED], cohort, splits, each).assign(method=name)
        for name, each in names.items()
    ]
    return [compared(pd.concat(found), cohort, *names)]


def planted(samples: int, repeats: int, seed: int) -> Rows:
    """Compare `balanced` on two modalities with the regression on the best one."""
    cohort = simulated(samples, seed)
    found = predicted([BALANCED, SINGLE], cohort, splits_of(cohort, seed, repeats), seed)
    return [compared(found, cohort, BALANCED, SINGLE)]


def true_gain(samples: int, repeats: int, seed: int) -> Rows:
    """Measure the same gain on `TESTING` samples; `samples` train, and the interval is empty."""
    cohort = simulated(samples + TESTING, seed)
    rng = np.random.default_rng((seed, 2))
    counts = np.rint(np.array(SHARES) * samples).astype(int)
    training = [
        rng.choice(np.flatnonzero(cohort.labels == code), count, replace=False)
        for code, count in enumerate(counts)
    ]
    names = np.full(len(cohort.samples), "test", dtype="<U8")
    names[np.concatenate(training)] = "training"
    cohort = replace(cohort, folds=names[None])
    splits = splits_of(cohort, seed, repeats)
    splits = [split for split in splits if len(split.fit) == counts.sum()]
    found = predicted([BALANCED, SINGLE], cohort, splits, seed)
    gain = scores(found, cohort, BALANCED) - scores(found, cohort, SINGLE)
    head = {"comparison": f"{BALANCED} − {SINGLE}", "difference": float(gain.mean())}
    return [head | {"lower": np.nan, "upper": np.nan}]


@dataclass(frozen=True)
class Kind:
    """A kind of cohort.

    Parameters
    ----------
    run
        Given samples, repeats and seed, returns a row per comparison.
    samples, repeats
        Samples, and repeats of five folds.
    sets
        Cohorts.
    null
        Whether there is no difference to be found.
    """

    run: Callable[[int, int, int], Rows]
    samples: int
    repeats: int
    sets: int
    null: bool


KINDS = {
    "duplicated modality": Kind(duplicated, 160, 2, 70, null=True),
    "labels shuffled": Kind(shuffled, 160, 2, 70, null=True),
    "another seed": Kind(reseeded, 160, 2, 70, null=True),
    # Intervals of larger cohorts are narrower, and would show a small bias.
    "duplicated modality, larger": Kind(duplicated, 800, 2, 40, null=True),
    "another seed, larger": Kind(reseeded, 800, 2, 40, null=True),
    "planted gain": Kind(planted, 800, 5, 60, null=False),
    "true gain": Kind(true_gain, 640, 1, 20, null=False),
}


def study(kind: str, seed: int, code: str) -> pd.DataFrame:
    """Return the rows of one cohort."""
    torch.set_num_threads(1)
    about, start = KINDS[kind], process_time()
    rows = about.run(about.samples, about.repeats, seed)
    head = {"kind": kind, "seed": seed, "seconds": round(process_time() - start, 1), "code": code}
    return pd.DataFrame([row | head for row in rows], columns=COLUMNS)


def read_results(path: Path, code: str) -> pd.DataFrame:
    """Read what is finished by the same code."""
    if not path.is_file():
        return pd.DataFrame(columns=COLUMNS)
    table = pd.read_csv(path)
    return table[table["code"] == code]


def run(cells: Sequence[tuple[str, int]], jobs: int, path: Path, code: str) -> pd.DataFrame:
    """Study the cohorts that the file lacks, keep each when it is done, and return all rows.

    Parameters
    ----------
    cells
        Kind and seed of every cohort.
    jobs
        Processes, one thread each.
    path
        The CSV, made where it is absent.
    code
        Hash of the code behind the cells; rows of other code are dropped.
    """
    table = read_results(path, code)
    done = set(zip(table["kind"], table["seed"], strict=True))
    waiting = [cell for cell in cells if cell not in done]
    tables = [table] if len(table) else []
    with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1):
        found = Parallel(return_as="generator_unordered", batch_size=1)(
            delayed(study)(*cell, code) for cell in waiting
        )
        finished = len(cells) - len(waiting)
        for rows in tqdm(found, total=len(cells), initial=finished, unit="cohort"):
            tables.append(rows)
            table = pd.concat(tables, ignore_index=True).sort_values(list(HEAD))
            write_table(table.round(5), path)
    return table


def cells_of(first: int, sets: int | None = None) -> list[tuple[str, int]]:
    """Return kind and seed of all cohorts, the kinds in turn, so that all grow alike.

    Parameters
    ----------
    first
        Seed of the first cohort of every kind.
    sets
        Cohorts per kind; those of `KINDS` where None.
    """
    counts = {kind: about.sets if sets is None else sets for kind, about in KINDS.items()}
    return [
        (kind, first + place)
        for place in range(max(counts.values()))
        for kind, count in counts.items()
        if place < count
    ]


@dataclass(frozen=True)
class Share:
    """How many of some cohorts, with Clopper and Pearson's two-sided 95 % interval."""

    count: int
    of: int

    @property
    def limits(self) -> tuple[float, float]:
        """The limits of the interval."""
        if not self.of:
            return 0.0, 1.0
        return tuple(map(float, binomtest(self.count, self.of).proportion_ci(0.95, "exact")))

    @property
    def value(self) -> float:
        """The share; NaN of no cohort."""
        return self.count / self.of if self.of else np.nan

    def __str__(self) -> str:
        lower, upper = self.limits
        return f"{self.count} of {self.of}: {self.value:.1%} ({lower:.1%} to {upper:.1%})"


def named(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that have an interval, with their verdict."""
    rows = table.dropna(subset=["lower", "upper"])
    words = [str(verdict(*limits)) for limits in zip(rows["lower"], rows["upper"], strict=True)]
    return rows.assign(verdict=words)


def share_of(rows: pd.DataFrame, word: Verdict) -> Share:
    """Return how many cohorts have this verdict in any of their comparisons."""
    found = (rows["verdict"] == word).groupby([rows["kind"], rows["seed"]]).any()
    return Share(int(found.sum()), len(found))


def requirements(table: pd.DataFrame) -> list[tuple[str, str, str, bool]]:
    """Return what is required: in words, its limit, what was measured, and whether it is met."""
    rows = named(table)
    null = rows["kind"].isin([kind for kind, about in KINDS.items() if about.null])
    false, found = share_of(rows[null], Verdict.GAIN), share_of(rows[~null], Verdict.GAIN)
    upper = false.limits[1]
    return [
        (
            "false 'gain supported', share of cohorts",
            f"<= {MOST_FALSE:g}",
            str(false),
            false.value <= MOST_FALSE,
        ),
        ("its upper limit", f"<= {MOST_FALSE_UPPER:g}", f"{upper:.1%}", upper <= MOST_FALSE_UPPER),
        (
            "planted gain found, share of cohorts",
            f">= {FEWEST_FOUND:g}",
            str(found),
            found.value >= FEWEST_FOUND,
        ),
    ]


def _comparisons(table: pd.DataFrame) -> list[str]:
    head = ["kind", "comparison", "mean difference", "half-width", "gain supported"]
    lines = [f"| {' | '.join([*head, 'loss supported'])} |", "|---|---|---:|---:|---|---|"]
    for (kind, comparison), part in named(table).groupby(["kind", "comparison"]):
        half = ((part["upper"] - part["lower"]) / 2).mean()
        cells = [kind, comparison, f"{part['difference'].mean():+.4f}", f"{half:.3f}"]
        cells += [str(share_of(part, word)) for word in (Verdict.GAIN, Verdict.LOSS)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _true_gain(table: pd.DataFrame) -> str:
    gains = table.loc[table["kind"] == "true gain", "difference"].to_numpy()
    about = KINDS["true gain"]
    head = f"True gain of the planted cohorts, on {TESTING:,} test samples after {about.samples}"
    if len(gains) < 2:
        return f"{head} training samples: not measured."
    interval = corrected_interval(gains, 0.0)
    limits = f"{interval.mean:.4f} ({interval.lower:.4f} to {interval.upper:.4f})"
    return f"{head} training samples: {limits} macro-F1, mean of {len(gains)} draws."


def markdown(table: pd.DataFrame) -> str:
    """Return what must be reached and what was, and every comparison."""
    seeds = sorted(table["seed"].unique())
    shares = ", ".join(map(str, SHARES))
    designs = [
        f"{kind}: {about.samples} samples, {about.repeats} repeats of five folds"
        f"{', no true difference' if about.null else ''}"
        for kind, about in KINDS.items()
        if about.run is not true_gain
    ]
    text = [
        "# Is the verdict right where the truth is known?",
        "",
        f"Simulated cohorts of seeds from {seeds[0]}; three classes (shares {shares}), {FEATURES}"
        f" features per modality. Default settings but {MEMBERS} members per fold and"
        f" {PERMUTATIONS} permutations inside training parts. Differences are of macro-F1;"
        " verdicts are those of the corrected 95 % interval, unadjusted for their number. In"
        " brackets exact two-sided 95 % binomial intervals (Clopper and Pearson) over cohorts; a"
        " cohort counts once however many of its comparisons say so."
        f" It took {table.drop_duplicates(['kind', 'seed'])['seconds'].sum() / 60:.0f} processor"
        " minutes.",
        "",
        *(f"- {design}." for design in designs),
        "",
        "| what | required | measured | reached |",
        "|---|---|---|---|",
    ]
    for what, limit, measured, met in requirements(table):
        text.append(f"| {what} | {limit} | {measured} | {'yes' if met else 'no'} |")
    text += ["", *_comparisons(table), "", _true_gain(table), ""]
    text += [
        "With shuffled labels no method knows anything, yet macro-F1 differs: one that always",
        "answers the commonest class scores less than one that guesses. A verdict of macro-F1 says",
        "which method scores more, not that either has learned; the trust checklist and the",
        "intervals of AUROC say that.",
        "",
    ]
    return "\n".join(text)


def main() -> None:
    """Run the benchmark and write its table and its summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=3000, help="first seed")
    parser.add_argument("--sets", type=int, help="cohorts per kind")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="where results are written")
    arguments = parser.parse_args()
    cells = cells_of(arguments.seed, arguments.sets)
    path = arguments.folder / "verdicts.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    table = run(cells, arguments.jobs, path, code_hash(Path(__file__)))
    wanted = pd.MultiIndex.from_tuples(cells)
    table = table[pd.MultiIndex.from_frame(table[["kind", "seed"]]).isin(wanted)]
    (arguments.folder / "verdicts.md").write_text(markdown(table), encoding="utf-8")


if __name__ == "__main__":
    main()
