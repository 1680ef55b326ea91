"""Train small final models and keep them, in files of the number of their format."""

import tempfile
from pathlib import Path

import numpy as np

import balmi
from balmi.config.settings import Evaluation, Final, Method, Preprocessing, Settings
from balmi.data.cohort import Cohort
from balmi.data.model_files import FORMAT, write_zip
from balmi.data.splits import as_splits, make_splits
from balmi.evaluation.evaluate import evaluation_tables
from balmi.methods.pipeline import run_pipeline
from balmi.methods.pooled import learners
from balmi.prediction.described import Tables, describe_model
from balmi.prediction.final import write_final
from balmi.tables.contract import TABLES

SAMPLES, KEPT = 40, 8


def cohort_of() -> Cohort:
    """Return a cohort of noise and a signal, in which a fifth of the samples lack proteins."""
    rng = np.random.default_rng(0)
    labels = np.arange(SAMPLES) % 2
    values = {name: rng.normal(size=(SAMPLES, KEPT)).round(2) for name in ("rna", "protein")}
    values["rna"][:, 0] += 2 * labels
    values["protein"][::5] = np.nan
    return Cohort(
        samples=np.array([f"s{i:02}" for i in range(SAMPLES)]),
        labels=labels,
        classes=("a", "b"),
        groups=None,
        values=values,
        features={name: tuple(f"{name}{i}" for i in range(KEPT)) for name in values},
        kinds={"rna": "rna-log", "protein": "protein"},
        provenance={"dataset": "mine", "label": "subtype"},
    )


def write(method: Method, kept: Path) -> None:
    """Train a final model by a method, and keep it."""
    cohort = cohort_of()
    settings = Settings(
        methods=[method],
        final=Final(method=method),
        preprocessing=Preprocessing(max_features=KEPT),
        model={"hidden": 4},
        training={"epochs": 3, "members": 2},
        information={"fold_permutations": 19},
    )
    splits = as_splits(make_splits(cohort, Evaluation(repeats=1, folds=2)), cohort)
    found = run_pipeline([method], cohort, splits, settings).predictions
    tables = evaluation_tables(found, cohort, 1.0, settings.primary_metric)
    none = TABLES["robustness"].empty()
    told = Tables(tables["summary"], tables["reliability"], found, none)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "model")
        folder.mkdir()
        write_final("mine", cohort, settings, folder)
        facts = {"title": f"balmi {balmi.__version__}", "licence": None}
        describe_model(folder, Path(name, "m.zip"), told, cohort, "macro_f1", facts)
        write_zip(folder, kept)


def main() -> None:
    """Write those models of this format that are not there: what was released never changes."""
    learners.TREES = 3  # a few kilobytes
    wanted = {f"{FORMAT}.zip": Method.POOLED, f"{FORMAT}-balanced.zip": Method.BALANCED}
    for name, method in wanted.items():
        kept = Path(__file__).with_name(name)
        if not kept.exists():
            write(method, kept)


if __name__ == "__main__":
    main()
