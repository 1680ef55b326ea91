"""Measure how often the verdict is wrong where the truth is known.

Run as ``PYTHONPATH=workflow python benchmarks/verdicts.py``; ``--help`` lists the options. An
interrupted run continues where it stopped, and one after a change of what is made of predictions
trains nothing again. Simulated cohorts go through the whole method, from splits to the sentence at
the head of the report, which is that of `pooled`. What it is counted against is told in
`verdict_cohorts`, of structured cohorts, and here of the plain ones: a modality beside its own
copy, permuted labels, `balanced` against itself with another seed have no true difference; two
modalities together are better than the best one by a gain that is measured apart, on many test
samples.

Left out are the controls of the trust checklist and the estimates of information, which take as
long again: a failed control can only withhold a headline.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed, parallel_config
from scipy.stats import binomtest
from tqdm import tqdm

import verdict_cohorts as cohorts
from balmi.config.fingerprint import code_hash
from balmi.config.settings import Evaluation, Method, Preprocessing, PrimaryMetric
from balmi.data.files import read_table, write_table
from balmi.data.splits import as_splits, make_splits
from balmi.evaluation.absence import absence_table
from balmi.evaluation.checklist import Evidence, trust_table
from balmi.evaluation.complete import comparisons_of
from balmi.evaluation.decision import RANKING, Decision, decide
from balmi.evaluation.distinct import counted_once, first_alike
from balmi.evaluation.scoring import performance_table
from balmi.evaluation.statistics import corrected_interval, held_out_ratio
from balmi.evaluation.summary import summary_table
from balmi.evaluation.verdicts import Verdict, verdict
from balmi.preprocess.features import Features
from balmi.report.conclusions.combining import headline
from checksums import enough, needed, record
from verdict_cohorts import SEPARATIONS, SHARES, simulated
from verdict_training import MEMBERS, PERMUTATIONS, Run, kept

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from balmi.data.cohort import Cohort
    from balmi.data.splits import Split

HERE = Path(__file__).parent
RESULTS, KEPT = HERE / "results", HERE.parent / "results" / "verdicts"
TARGET = "make benchmark-verdicts"
TABLES = ("verdicts.csv", "headlines.csv")
MODULES = ("verdict_cohorts.py", "verdict_training.py", "verdicts.py")
TRAINING, TESTING = 640, 20_000
OTHER_SEED = 1_000_000
POOLED, ONE, BALANCED = Method.POOLED, Method.UNIMODAL_POOLED, Method.BALANCED
STACKED, SINGLE = Method.STACKED_LR, Method.UNIMODAL_LR
METHODS = (POOLED, ONE, STACKED, SINGLE)
MASK = Method.ABSENCE_LR  # where a sample lacks a modality
AGAINST_ONE = ((str(POOLED), str(ONE)), (str(STACKED), str(SINGLE)))
ALONE, OTHER = "pooled on one alone", "balanced, another seed"
HEAD = ("kind", "seed")
COMPARED = (*HEAD, "comparison", "samples", "difference", "lower", "upper", "seconds", "code")
TOLD = (*HEAD, "gain", "case", "samples", "folds", "headline", "seconds", "code")
MOST_FALSE, MOST_FALSE_UPPER, MOST_LOST = 0.05, 0.09, 1
FEWEST_FOUND = 0.9  # 54 of 60: the verdict of an interval alone found 55
AT_MOST = f"<= {MOST_FALSE:.0%}, upper limit <= {MOST_FALSE_UPPER:.0%}"


@dataclass(frozen=True)
class Design:
    """What is trained for a cohort, and what is asked of the predictions.

    Parameters
    ----------
    runs
        What the headline is made of.
    others
        What is trained beside it.
    pairs
        Method and reference of the comparisons that are counted.
    """

    runs: tuple[Run, ...]
    others: tuple[Run, ...] = ()
    pairs: tuple[tuple[str, str], ...] = AGAINST_ONE


def splits_of(cohort: Cohort, seed: int, repeats: int) -> list[Split]:
    """Return the splits of some repeats of five folds."""
    return as_splits(make_splits(cohort, Evaluation(repeats=repeats, seed=seed)), cohort)


def _runs(cohort: Cohort, seed: int, repeats: int) -> tuple[Run, ...]:
    """Return what the headline of a cohort is made of."""
    splits = splits_of(cohort, seed, repeats)
    methods = METHODS if cohort.available.all() else (*METHODS, MASK)
    return tuple(Run(method, cohort, splits, seed) for method in methods)


def duplicated(samples: int, repeats: int, seed: int) -> Design:
    """Compare `pooled` on a modality and its copy with `pooled` on the modality alone."""
    alone = simulated(samples, seed, {"first": SEPARATIONS["first"]})
    twice = replace(
        alone,
        values=alone.tables | {"copy": alone.tables["first"].copy()},
        features=alone.features | {"copy": alone.features["first"]},
        kinds=alone.kinds | {"copy": "generic"},
    )
    other = Run(POOLED, alone, splits_of(alone, seed, repeats), seed, ALONE)
    pairs = ((str(POOLED), ALONE), *AGAINST_ONE)
    return Design(_runs(twice, seed, repeats), (other,), pairs)


def shuffled(samples: int, repeats: int, seed: int) -> Design:
    """Compare methods where labels are permuted among samples."""
    cohort = simulated(samples, seed)
    cohort = replace(cohort, labels=np.random.default_rng((seed, 1)).permutation(cohort.labels))
    pairs = ((str(POOLED), str(STACKED)), *AGAINST_ONE)
    return Design(_runs(cohort, seed, repeats), pairs=pairs)


def reseeded(samples: int, repeats: int, seed: int) -> Design:
    """Compare `balanced` with itself when networks start and learn from another seed."""
    cohort = simulated(samples, seed)
    splits = splits_of(cohort, seed, repeats)
    one = Run(BALANCED, cohort, splits, seed)
    other = Run(BALANCED, cohort, splits, seed + OTHER_SEED, OTHER)
    return Design((one,), (other,), ((str(BALANCED), OTHER),))


def planted(samples: int, repeats: int, seed: int) -> Design:
    """Compare methods on two modalities with the same kind on the best one."""
    return Design(_runs(simulated(samples, seed), seed, repeats))


def true_gain(samples: int, repeats: int, seed: int) -> Design:
    """Measure the same gain on `TESTING` samples; `samples` train, and there is no interval."""
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
    runs = tuple(Run(method, cohort, splits, seed) for method in (POOLED, ONE))
    return Design(runs, pairs=AGAINST_ONE[:1])


def structured(draw: Callable[[int, int], Cohort]) -> Callable[[int, int, int], Design]:
    """Return the design of a kind of structured cohort.

    Parameters
    ----------
    draw
        Given samples and seed, returns the cohort.
    """

    def design(samples: int, repeats: int, seed: int) -> Design:
        return Design(_runs(draw(samples, seed), seed, repeats))

    return design


class Truth(StrEnum):
    """What is true of a kind of cohort."""

    NULL = "no true difference"
    STRUCTURED = "no true difference, but a structure that can pass for one"
    GAIN = "a true gain"
    SIZE = "the size of the true gain"


@dataclass(frozen=True)
class Kind:
    """A kind of cohort.

    Parameters
    ----------
    design
        Given samples, repeats and seed, returns what is trained and compared.
    samples, repeats
        Samples, and repeats of five folds.
    sets
        Cohorts.
    truth
        What is true of them.
    told
        Whether the headline is counted: not where it answers another question.
    """

    design: Callable[[int, int, int], Design]
    samples: int
    repeats: int
    sets: int
    truth: Truth
    told: bool = True


def _structured(draw: Callable[[int, int], Cohort], samples: int = 160, repeats: int = 2) -> Kind:
    return Kind(structured(draw), samples, repeats, 100, Truth.STRUCTURED)


KINDS = {
    "absent in a class": _structured(cohorts.absent_in_a_class),
    "absent more often in a class": _structured(cohorts.absent_more_often),
    "batch follows the class": _structured(cohorts.batch_follows_class),
    "repeated measures": _structured(cohorts.repeated_measures),
    "uneven groups": _structured(cohorts.uneven_groups),
    "rare class": _structured(cohorts.rare_class, samples=200),
    "copied samples": _structured(cohorts.copied_samples),
    "disjoint modalities": _structured(cohorts.disjoint),
    "duplicated modality": Kind(duplicated, 160, 2, 70, Truth.NULL),
    "labels shuffled": Kind(shuffled, 160, 2, 70, Truth.NULL),
    "another seed": Kind(reseeded, 160, 2, 70, Truth.NULL, told=False),
    # Intervals of larger cohorts are narrower, and would show a small bias.
    "duplicated modality, larger": Kind(duplicated, 800, 2, 40, Truth.NULL),
    "another seed, larger": Kind(reseeded, 800, 2, 40, Truth.NULL, told=False),
    "planted gain": Kind(planted, 800, 5, 60, Truth.GAIN),
    "true gain": Kind(true_gain, 640, 1, 20, Truth.SIZE, told=False),
}


NO_CONTROLS = pd.DataFrame(columns=["control", "method", "value", "lower", "upper", "lower99"])
NO_INFORMATION = pd.DataFrame(
    columns=["quantity", "modality", "other", "estimate", "lower", "upper", "p_value", "status"]
)


METRIC = PrimaryMetric.MACRO_F1
DECISIVE = (METRIC, RANKING)  # what a headline rests on


def tables_of(predictions: pd.DataFrame, cohort: Cohort) -> dict[str, pd.DataFrame]:
    """Return the tables of `evaluation_tables` that a headline rests on, as far as it does.

    Other metrics and those of single classes would take most of the time.

    Parameters
    ----------
    predictions
        As in ``predictions.parquet``.
    cohort
        The cohort.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``performance``, ``comparisons`` and ``summary``, with rows of `DECISIVE` alone.
    """
    ratio = held_out_ratio(predictions, len(cohort.samples))
    scores = performance_table(predictions, cohort, DECISIVE)
    alike = first_alike(predictions)
    once = counted_once(scores, alike, ["method", "metric"], ["value"])
    none = pd.DataFrame(columns=["method", "class", "metric", "value"])
    return {
        "performance": scores,
        "comparisons": comparisons_of(predictions, cohort, once, ratio, METRIC),
        "summary": summary_table(once, none, ratio),
    }


def decided(
    tables: Mapping[str, pd.DataFrame], runs: Sequence[Run], predictions: pd.DataFrame
) -> Decision:
    """Return what the report of these predictions is headed by."""
    cohort = runs[0].cohort
    evidence = Evidence(
        cohort=cohort,
        splits=runs[0].splits,
        predictions=predictions,
        information=NO_INFORMATION,
        controls=NO_CONTROLS,
        absence=absence_table(cohort),
        features=Features(cohort, Preprocessing().max_features),
    )
    return decide({**tables, "trust": trust_table(evidence)}, cohort, METRIC)


def compared(tables: Mapping[str, pd.DataFrame], pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return the counted comparisons of macro-F1; without an interval where there is one fold."""
    table = tables["comparisons"]
    table = table[table["metric"] == METRIC]
    wanted = pd.MultiIndex.from_tuples(pairs)
    found = table[pd.MultiIndex.from_frame(table[["method", "reference"]]).isin(wanted)]
    if found.empty:
        scores = tables["performance"]
        scores = scores[scores["metric"] == METRIC].set_index("method")["value"]
        rows = [(*pair, "all", scores[pair[0]] - scores[pair[1]], np.nan, np.nan) for pair in pairs]
        names = ["method", "reference", "samples", "difference", "lower", "upper"]
        found = pd.DataFrame(rows, columns=names)
    return found.assign(comparison=found["method"] + " − " + found["reference"])


def study(kind: str, seed: int, folder: Path, code: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the comparisons and the headline of one cohort.

    Parameters
    ----------
    kind, seed
        The cohort.
    folder
        Where predictions are kept.
    code
        Hash of the code, for the rows.
    """
    torch.set_num_threads(1)
    about = KINDS[kind]
    design = about.design(about.samples, about.repeats, seed)
    found, seconds = zip(*(kept(run, folder) for run in design.runs + design.others), strict=True)
    cohort, headed = design.runs[0].cohort, len(design.runs)
    predictions = pd.concat(found[:headed], ignore_index=True)
    head = {"kind": kind, "seed": seed, "seconds": round(sum(seconds), 1), "code": code}
    tables = tables_of(pd.concat([predictions, *found[headed:]], ignore_index=True), cohort)
    rows = compared(tables, design.pairs).assign(**head)[list(COMPARED)]
    if not about.told:
        return rows, pd.DataFrame(columns=list(TOLD))
    own = tables_of(predictions, cohort) if design.others else tables
    decision = decided(own, design.runs, predictions)
    told = {
        "gain": decision.gain,
        "case": str(decision.case),
        "samples": decision.samples,
        "folds": decision.folds,
        "headline": headline(decision),
    }
    return rows, pd.DataFrame([head | told], columns=list(TOLD))


def code_of() -> str:
    """Return the hash of the code behind the results: the library's and the benchmark's own."""
    parts = [code_hash(HERE / name) + (HERE / name).read_text("utf-8") for name in MODULES]
    return sha256("".join(parts).encode()).hexdigest()[:16]


def read_results(path: Path, code: str) -> pd.DataFrame:
    """Read what is finished by the same code."""
    if not path.is_file():
        return pd.DataFrame(columns=["kind", "seed", "code"])
    table = read_table(path)
    return table[table["code"] == code]


@dataclass(frozen=True)
class Results:
    """What was counted.

    Parameters
    ----------
    compared
        Columns as in `COMPARED`; rows per cohort and comparison.
    told
        Columns as in `TOLD`; a row per cohort whose headline is counted.
    """

    compared: pd.DataFrame
    told: pd.DataFrame

    def of(self, cells: Sequence[tuple[str, int]]) -> Results:
        """Return the results of some cohorts."""
        wanted = pd.MultiIndex.from_tuples(cells)
        tables = (self.compared, self.told)
        return Results(
            *(table[pd.MultiIndex.from_frame(table[list(HEAD)]).isin(wanted)] for table in tables)
        )


def run(
    cells: Sequence[tuple[str, int]], jobs: int, folder: Path, predictions: Path, code: str
) -> Results:
    """Study the cohorts that the folder lacks, keep each when it is done, and return all rows.

    Parameters
    ----------
    cells
        Kind and seed of every cohort.
    jobs
        Processes, one thread each.
    folder
        Where ``verdicts.csv`` and ``headlines.csv`` are, made where they are absent.
    predictions
        Where predictions are kept.
    code
        Hash of the code behind the cells; rows of other code are dropped.
    """
    paths = [folder / name for name in TABLES]
    tables = [read_results(path, code) for path in paths]
    done = set(zip(tables[0]["kind"], tables[0]["seed"], strict=True))
    waiting = [cell for cell in cells if cell not in done]
    with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1):
        found = Parallel(return_as="generator_unordered", batch_size=1)(
            delayed(study)(*cell, predictions, code) for cell in waiting
        )
        finished = len(cells) - len(waiting)
        for parts in tqdm(found, total=len(cells), initial=finished, unit="cohort"):
            for place, (part, path) in enumerate(zip(parts, paths, strict=True)):
                filled = [table for table in (tables[place], part) if len(table)]
                if filled:
                    tables[place] = pd.concat(filled, ignore_index=True)
                    write_table(tables[place].sort_values(list(HEAD)).round(5), path)
    return Results(*tables)


def cells_of(
    first: int, sets: int | None = None, kinds: Sequence[str] = tuple(KINDS)
) -> list[tuple[str, int]]:
    """Return kind and seed of all cohorts, the kinds in turn, so that all grow alike.

    Parameters
    ----------
    first
        Seed of the first cohort of every kind.
    sets
        Cohorts per kind; those of `KINDS` where None.
    kinds
        Names of kinds.
    """
    counts = {kind: KINDS[kind].sets if sets is None else sets for kind in kinds}
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
    """Return the comparisons that have an interval, with their verdict."""
    rows = table.dropna(subset=["lower", "upper"])
    words = [str(verdict(*limits)) for limits in zip(rows["lower"], rows["upper"], strict=True)]
    return rows.assign(verdict=words)


def share_of(rows: pd.DataFrame, word: Verdict) -> Share:
    """Return how many cohorts have this verdict in any of their comparisons."""
    found = (rows["verdict"] == word).groupby([rows["kind"], rows["seed"]]).any()
    return Share(int(found.sum()), len(found))


def told_of(told: pd.DataFrame, kind: str) -> Share:
    """Return in how many cohorts of a kind the headline says that combining helps."""
    rows = told[told["kind"] == kind]
    return Share(int(rows["gain"].sum()), len(rows))


@dataclass(frozen=True)
class Requirement:
    """What is required, the limit in words, what was measured, and whether it is met."""

    what: str
    limit: str
    measured: str
    met: bool


def _few(what: str, share: Share) -> Requirement:
    met = share.value <= MOST_FALSE and share.limits[1] <= MOST_FALSE_UPPER
    return Requirement(what, AT_MOST, str(share), met)


def _kinds(truth: Truth) -> list[str]:
    return [kind for kind, about in KINDS.items() if about.truth is truth]


def _plain(results: Results) -> list[Requirement]:
    """Return what is required of all plain cohorts without a difference together."""
    shares = [told_of(results.told, kind) for kind in _kinds(Truth.NULL)]
    told = Share(sum(each.count for each in shares), sum(each.of for each in shares))
    rows = named(results.compared)
    supported = share_of(rows[rows["kind"].isin(_kinds(Truth.NULL))], Verdict.GAIN)
    return [
        _few("plain cohorts without a difference: headline says gain", told),
        _few("the same: 'gain supported' in any comparison", supported),
    ]


def _gains(results: Results) -> list[Requirement]:
    """Return how many true gains have to be told, of all and of those that the folds support."""
    (kind,) = _kinds(Truth.GAIN)
    share = told_of(results.told, kind)
    rows = named(results.compared)
    own = rows["comparison"] == f"{POOLED} − {ONE}"
    found = rows[own & (rows["kind"] == kind) & (rows["samples"] == "all")]
    supported = set(found.loc[found["verdict"] == Verdict.GAIN, "seed"])
    says = results.told[(results.told["kind"] == kind) & results.told["gain"].astype(bool)]
    lost = len(supported - set(says["seed"]))
    return [
        Requirement(
            f"{kind}: headline says gain",
            f">= {FEWEST_FOUND:.0%}",
            str(share),
            share.value >= FEWEST_FOUND,
        ),
        Requirement(
            f"{kind}: interval of {POOLED} − {ONE} above 0, but not told",
            f"<= {MOST_LOST}",
            f"{lost} of {len(supported)}",
            lost <= MOST_LOST,
        ),
    ]


def requirements(results: Results) -> list[Requirement]:
    """Return what is required of every structured kind, of all plain ones, and of true gains."""
    structured_kinds = [
        _few(f"{kind}: headline says gain", told_of(results.told, kind))
        for kind in _kinds(Truth.STRUCTURED)
    ]
    return [*structured_kinds, *_plain(results), *_gains(results)]


def _comparisons(table: pd.DataFrame) -> list[str]:
    head = ["kind", "comparison", "samples", "mean difference", "half-width", "gain supported"]
    lines = [f"| {' | '.join([*head, 'loss supported'])} |", "|---|---|---|---:|---:|---|---|"]
    for key, part in named(table).groupby(["kind", "comparison", "samples"]):
        half = ((part["upper"] - part["lower"]) / 2).mean()
        cells = [*key, f"{part['difference'].mean():+.4f}", f"{half:.3f}"]
        cells += [str(share_of(part, word)) for word in (Verdict.GAIN, Verdict.LOSS)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _headlines(told: pd.DataFrame) -> list[str]:
    lines = ["| kind | case | samples | cohorts | a headline of these |", "|---|---|---|---:|---|"]
    for (kind, case, samples), part in told.fillna("").groupby(["kind", "case", "samples"]):
        example = part["headline"].iloc[0]
        lines.append(f"| {kind} | {case} | {samples} | {len(part)} | {example} |")
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


def markdown(results: Results) -> str:
    """Return what must be reached and what was, every comparison, and every headline."""
    table = results.compared
    shares = ", ".join(map(str, SHARES))
    designs = [
        f"{kind}: {about.samples} samples, {about.repeats} repeats of five folds, {about.truth}"
        for kind, about in KINDS.items()
        if about.truth is not Truth.SIZE
    ]
    minutes = table.drop_duplicates(list(HEAD))["seconds"].sum() / 60
    text = [
        "# Is the verdict right where the truth is known?",
        "",
        f"Simulated cohorts of seeds from {table['seed'].min()}; three classes (shares {shares}),"
        f" {cohorts.FEATURES} features per modality unless `verdict_cohorts.py` says otherwise of a"
        f" kind. Default settings but {MEMBERS} members per fold and {PERMUTATIONS} permutations"
        " inside training parts. Counted is the headline as the report prints it, without controls"
        " and estimates of information; and the verdicts of corrected 95 % intervals of macro-F1,"
        " unadjusted for their number. In brackets exact two-sided 95 % binomial intervals (Clopper"
        " and Pearson) over cohorts; a cohort counts once however many of its comparisons say so."
        f" Training took {minutes:.0f} processor minutes.",
        "",
        *(f"- {design}." for design in designs),
        "",
        "| what | required | measured | reached |",
        "|---|---|---|---|",
    ]
    text += [
        f"| {each.what} | {each.limit} | {each.measured} | {'yes' if each.met else 'no'} |"
        for each in requirements(results)
    ]
    text += ["", *_comparisons(table), "", _true_gain(table), ""]
    text += [
        "With shuffled labels no method knows anything, yet macro-F1 differs: one that always",
        "answers the commonest class scores less than one that guesses. A verdict of macro-F1 says",
        "which method scores more, not that either has learned; the trust checklist and the",
        "intervals of AUROC say that.",
        "",
        *_headlines(results.told),
        "",
    ]
    return "\n".join(text)


def main() -> None:
    """Run the benchmark and write its tables and its summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=3000, help="first seed")
    parser.add_argument("--sets", type=int, help="cohorts per kind")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="where results are written")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where predictions are kept")
    parser.add_argument("--summary", action="store_true", help="of the tables alone: run nothing")
    arguments = parser.parse_args()
    cells = cells_of(arguments.seed, arguments.sets, arguments.kinds)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    paths = [arguments.folder / name for name in TABLES]
    if arguments.summary:
        results = Results(*(read_table(needed(path, TARGET)) for path in paths))
    else:
        results = run(cells, arguments.jobs, arguments.folder, arguments.kept, code_of())
    results = results.of(cells)
    enough(len(results.compared), 1, paths[0], TARGET)
    (arguments.folder / "verdicts.md").write_text(markdown(results), encoding="utf-8")
    record(*(path for path in paths if path.is_file()))  # no headline, no table of headlines


if __name__ == "__main__":
    main()
