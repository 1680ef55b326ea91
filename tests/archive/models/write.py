"""Train a small final model and keep it, in a file of the number of its format."""

import sys
import tempfile
from pathlib import Path

import numpy as np

import balmi
from balmi.config.settings import Evaluation, Final, Method, Preprocessing, Settings
from balmi.data.cohort import Cohort
from balmi.data.model_files import FORMAT, write_zip
from balmi.data.splits import as_splits, make_splits
from balmi.evaluation.evaluate import evaluation_tables
from balmi.methods.peers.run import fit_baseline
from balmi.methods.pooled import learners
from balmi.prediction.described import Tables, describe_model
from balmi.prediction.final import write_final
from balmi.preprocess.features import Features
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


def main() -> None:
    """Write the model of this format."""
    kept = Path(__file__).with_name(f"{FORMAT}.zip")
    if kept.exists():
        sys.exit(f"{kept} is there already, and what was released is never changed")
    learners.TREES = 3  # a few kilobytes
    cohort = cohort_of()
    settings = Settings(
        methods=[Method.POOLED],
        final=Final(method=Method.POOLED),
        preprocessing=Preprocessing(max_features=KEPT),
    )
    splits = as_splits(make_splits(cohort, Evaluation(repeats=1, folds=2)), cohort)
    found = fit_baseline(Method.POOLED, cohort, Features(cohort, KEPT), splits).predictions
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


if __name__ == "__main__":
    main()
