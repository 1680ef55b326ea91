"""Measure how often `access.csv` says rightly where the signal lies, where that is known.

Run as ``PYTHONPATH=workflow python benchmarks/access.py``; ``--help`` lists the options. An
interrupted run continues where it stopped. Each cohort has two modalities of 30 features, mixtures
of four latent factors and noise. The log-odds of the class are a function of the first factor of
either modality: of one, linear or not; a sum of linear functions; a sum of squares; a product; or
of none. The pools are fitted and compared as the rules of the workflow do it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, parallel_config
from tqdm import tqdm

from balmi.config.fingerprint import code_hash
from balmi.config.settings import Evaluation, Method, PrimaryMetric
from balmi.data.cohort import Cohort
from balmi.data.files import replace_when_written
from balmi.data.splits import as_splits, make_splits
from balmi.evaluation.access import Access, access_table, where_the_signal_lies
from balmi.evaluation.statistics import held_out_ratio
from balmi.methods.peers.run import fit_baseline
from balmi.preprocess.features import Features
from checksums import record
from rows import append, resumed

RESULTS = Path(__file__).parent / "results"
TARGET = "make benchmark-access"
FIRST_SEED = 300
FEATURES, FACTORS = 30, 4
METHODS = (Method.POOLED, Method.UNIMODAL_POOLED)
# Log-odds of the class given the first factor of either modality, and what is to be said.
KINDS = {
    "one, linear": (lambda a, b: 3 * a, Access.ONE),
    "one, squared": (lambda a, b: 2.5 * (a**2 - 0.6), Access.ONE),
    "linear sum": (lambda a, b: 2 * a + 2 * b, Access.LINEAR),
    "sum of squares": (lambda a, b: 2 * (a**2 + b**2 - 1.4), Access.ADDITIVE),
    "product": (lambda a, b: 3 * a * b, Access.JOINT),
    "nothing": (lambda a, b: 0 * a, Access.NONE),
}
COLUMNS = ("kind", "samples", "seed", "said", "difference", "lower", "upper", "code")
MOST_WRONG, FEWEST_RIGHT = 0.05, 0.9


def cohort_of(kind: str, samples: int, seed: int) -> Cohort:
    """Return a simulated cohort of one kind."""
    rng = np.random.default_rng([seed, *kind.encode()])
    values, first = {}, []
    for name in ("first", "second"):
        factors = rng.normal(size=(samples, FACTORS))
        loadings = rng.normal(size=(FACTORS, FEATURES))
        values[name] = factors @ loadings + rng.normal(size=(samples, FEATURES))
        first.append(factors[:, 0])
    odds, _ = KINDS[kind]
    labels = (rng.random(samples) < 1 / (1 + np.exp(-odds(*first)))).astype(int)
    return Cohort(
        samples=np.array([f"s{place:05d}" for place in range(samples)]),
        labels=labels,
        classes=("no", "yes"),
        groups=None,
        values=values,
        features={name: tuple(f"{name}{i}" for i in range(FEATURES)) for name in values},
        kinds=dict.fromkeys(values, "generic"),
        provenance={},
    )


def said_of(kind: str, samples: int, seed: int, repeats: int) -> tuple[str, float, float, float]:
    """Return where the signal of a cohort is said to lie, and what combining gains in macro-F1."""
    cohort = cohort_of(kind, samples, seed)
    splits = as_splits(make_splits(cohort, Evaluation(repeats=repeats, seed=seed)), cohort)
    features = Features(cohort, FEATURES)
    found = [fit_baseline(method, cohort, features, splits).predictions for method in METHODS]
    predictions = pd.concat(found, ignore_index=True)
    ratio = held_out_ratio(predictions, samples)
    table = access_table(predictions, cohort, ratio, PrimaryMetric.MACRO_F1)
    gain = table.query("metric == 'macro_f1' and less == 'one' and more == 'joint'").iloc[0]
    limits = (float(gain[name]) for name in ("gain", "lower", "upper"))
    return str(where_the_signal_lies(table)), *limits


def summary(found: pd.DataFrame) -> str:
    """Return the counts as a table in Markdown."""
    lines = [
        f"# Where the signal lies ({TARGET})",
        "",
        f"Wanted: right in at least {FEWEST_RIGHT:.0%} of the cohorts of a kind, wrong (neither"
        f" right nor `{Access.NONE}`) in at most {MOST_WRONG:.0%}. Combining helps where the"
        " whole corrected interval of pooled - unimodal-pooled in macro-F1 lies above 0.",
        "",
        "| kind | samples | cohorts | right | none is shown | wrong | combining helps |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (kind, samples), part in found.groupby(["kind", "samples"], sort=False):
        right = int((part["said"] == KINDS[kind][1]).sum())
        none = 0 if KINDS[kind][1] is Access.NONE else int((part["said"] == Access.NONE).sum())
        wrong, gains = len(part) - right - none, int((part["lower"] > 0).sum())
        counts = " | ".join(map(str, (len(part), right, none, wrong, gains)))
        lines.append(f"| {kind} | {samples:,} | {counts} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the cohorts that the table lacks, and write the summary."""
    parser = argparse.ArgumentParser(description=__doc__, prog=TARGET)
    parser.add_argument("--samples", type=int, default=800)
    parser.add_argument("--cohorts", type=int, default=20, help="of every kind")
    parser.add_argument("--repeats", type=int, default=2, help="of 5-fold cross-validation")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=RESULTS)
    given = parser.parse_args()
    path, code = given.folder / "access.csv", code_hash(Path(__file__))
    done = resumed(path, COLUMNS, ("kind", "samples", "seed"), code)
    seeds = range(FIRST_SEED, FIRST_SEED + given.cohorts)
    cells = [(kind, given.samples, seed) for seed in seeds for kind in KINDS]
    waiting = [cell for cell in cells if cell not in done]

    def cell(kind: str, samples: int, seed: int) -> tuple[object, ...]:
        return kind, samples, seed, *said_of(kind, samples, seed, given.repeats), code

    with parallel_config("loky", inner_max_num_threads=1):
        results = Parallel(given.jobs, return_as="generator_unordered", batch_size=1)(
            delayed(cell)(*each) for each in waiting
        )
        for row in tqdm(results, total=len(waiting)):
            append(path, pd.DataFrame([row]))
    table = pd.read_csv(path).sort_values(["samples", "seed"], kind="stable")
    with replace_when_written(path.with_suffix(".md")) as part:
        part.write_text(summary(table), encoding="utf-8")
    record(path)


if __name__ == "__main__":
    main()
