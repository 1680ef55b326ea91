"""Measure the information estimates on tasks with known truth.

Run as ``PYTHONPATH=workflow python benchmarks/information.py``; ``--help`` lists the options.
An interrupted run continues where it stopped.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from acceptance import SIZES
from checksums import enough, needed, record
from runner import Cell, read_rows, run
from summary import present, write_summary
from tasks import KINDS, tasks_of

HERE = Path(__file__).parent
COMMAND = "PYTHONPATH=workflow python benchmarks/information.py"
TARGET = "make benchmark-information"
QUICK_FOLDER = HERE.parent / "results" / "benchmark-quick"
NULL_SEEDS = 10_000  # data sets under independence share no seed with the replicates
TIME_REPLICATES = 3
NEURAL_REPLICATES = 2
# Neural bounds cost seconds each: high-dimensional views, where they are advised, and some others.
NEURAL_TASKS = (
    *("factors-100x100", "factors-500x500", "normal-25x25-sparse", "independent-factors-500x500"),
    *("normal-5x5-dense", "student-5x5", "spiral-3x3", "x-shape-10x10"),
)
ESTIMATORS = {
    "label": ("stack", "ross", "univariate"),
    "pair": ("composite", "ksg"),
    "gate": ("decomposition",),
}
NULLS = {"label": ("stack",), "pair": ("composite", "pair-test")}
# Own estimator first, then what it must not fall below.
SPECTRUM = {
    "spectrum-label": ("stack", "regression", "forest"),
    "spectrum-pair": ("composite-as-set", "ridge-cca"),
}
SPECTRUM_SIZES = (200, 500, 1000)
SPECTRUM_REPLICATES = 3
SPECTRUM_SEED = 2000  # beyond the first seed
TIMED = (
    ("label", "factors-1000", "stack"),
    ("label", "factors-1000", "label-test-199"),
    ("pair", "factors-500x500", "composite"),
)
QUICK_TASKS = (
    *("gaussian-5", "independent-balanced-50", "normal-5x5-dense", "x-shape-10x10"),
    *("independent-5x5", "XOR", "soft-AND", "random-tables"),
)


@dataclass(frozen=True)
class Plan:
    """How much is run.

    Parameters
    ----------
    seed
        First seed.
    replicates
        Data sets per task and number of samples.
    null_sets
        Independent data sets, at least, for each kind of task.
    sizes
        Numbers of samples.
    tasks
        Names of the tasks to run, or None for all.
    """

    seed: int = 5000
    replicates: int = 5
    null_sets: int = 100
    sizes: tuple[int, ...] = SIZES
    tasks: tuple[str, ...] | None = None

    def chosen(self, kind: str) -> list[str]:
        """Return the names of the tasks of a kind that are run."""
        return [name for name in tasks_of(kind) if self.tasks is None or name in self.tasks]

    def seeds(self, count: int, first: int = 0) -> range:
        """Return seeds of that many data sets."""
        return range(self.seed + first, self.seed + first + count)


def accuracy_cells(plan: Plan) -> list[Cell]:
    """Return replicates of every task with every estimator of its kind."""
    cells = [
        Cell("accuracy", kind, task, estimator, n, seed)
        for kind, estimators in ESTIMATORS.items()
        for n in plan.sizes
        for task in plan.chosen(kind)
        for estimator in estimators
        for seed in plan.seeds(plan.replicates)
    ]
    cells += [
        Cell("accuracy", "pair", task, estimator, max(plan.sizes), seed)
        for task in plan.chosen("pair")
        if task in NEURAL_TASKS
        for estimator in ("infonce", "mine")
        for seed in plan.seeds(min(NEURAL_REPLICATES, plan.replicates))
    ]
    return cells + [
        Cell("accuracy", "table", task, "union", 20, seed)
        for task in plan.chosen("table")
        for seed in plan.seeds(plan.replicates)
    ]


def spectrum_cells(plan: Plan) -> list[Cell]:
    """Return replicates of signals in directions of much and of little variance, with peers."""
    return [
        Cell("accuracy", kind, task, estimator, n, seed)
        for kind, estimators in SPECTRUM.items()
        for n in SPECTRUM_SIZES
        if n <= max(plan.sizes)
        for task in plan.chosen(kind)
        for seed in plan.seeds(min(SPECTRUM_REPLICATES, plan.replicates), SPECTRUM_SEED)
        for estimator in estimators
    ]


def null_cells(plan: Plan) -> list[Cell]:
    """Return estimates and tests of independent data sets, dealt evenly to the tasks."""
    cells = []
    for kind, estimators in NULLS.items():
        tasks = [name for name in plan.chosen(kind) if tasks_of(kind)[name].independent]
        each = -(-plan.null_sets // len(tasks))
        cells += [
            Cell("null", kind, task, estimator, min(plan.sizes), seed)
            for task in tasks
            for estimator in estimators
            for seed in plan.seeds(each, NULL_SEEDS)
        ]
    return cells


def time_cells(plan: Plan) -> list[Cell]:
    """Return what is timed, alone on the machine as far as the benchmark goes."""
    return [
        Cell("time", kind, task, estimator, max(plan.sizes), seed)
        for kind, task, estimator in TIMED
        if task in plan.chosen(kind)
        for seed in plan.seeds(TIME_REPLICATES)
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2, help="processes, one thread each (2)")
    parser.add_argument("--seed", type=int, default=Plan.seed, help="first seed (5000)")
    parser.add_argument("--replicates", type=int, default=Plan.replicates, help="per cell (5)")
    parser.add_argument("--null-sets", type=int, default=Plan.null_sets, help="per kind (100)")
    parser.add_argument("--only", choices=[*KINDS, "time"], help="run this and no other kind now")
    parser.add_argument("--quick", action="store_true", help="few tasks, once, in another folder")
    parser.add_argument("--folder", type=Path, help="where the results are written")
    parser.add_argument("--summary", action="store_true", help="of the table alone: run nothing")
    return parser.parse_args()


def main() -> None:
    """Run what is missing and write the tables."""
    options = _arguments()
    plan = Plan(options.seed, options.replicates, options.null_sets)
    folder = options.folder or HERE / "results"
    if options.quick:
        plan = Plan(options.seed, 1, 2, (200,), QUICK_TASKS)
        folder = options.folder or QUICK_FOLDER
    shared, timed = accuracy_cells(plan) + null_cells(plan), time_cells(plan)
    shared += spectrum_cells(plan)
    table, only = folder / "information.csv", options.only
    if not options.summary:
        run([cell for cell in shared if only in (None, cell.kind)], table, options.jobs)
        if only in (None, "time"):
            run(timed, table, jobs=1)  # nothing of the benchmark runs beside what is timed
    found = read_rows(needed(table, TARGET).read_text(encoding="utf-8"))
    enough(len(present(found, shared + timed)), 1, table, TARGET)
    command = f"{COMMAND} --seed {plan.seed} --replicates {plan.replicates}"
    command += f" --null-sets {plan.null_sets}" + " --quick" * options.quick
    write_summary(found, shared + timed, command, folder / "information.md")
    record(table)
    print(f"wrote {table} and {folder / 'information.md'}")


if __name__ == "__main__":
    main()
