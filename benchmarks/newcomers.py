"""Measure what it costs to predict new samples by a final model, from files to files.

Run as ``make benchmark-prediction``, or from the root of the repository::

    PYTHONPATH=workflow .venv/bin/python benchmarks/newcomers.py --new 1000 --features 2000

A cohort of three modalities and three classes is drawn, and `pooled` is trained on it; then the
job of ``predict_samples`` runs in a process of its own, start-up counted, on files of new samples:
with all digits of a double, as pandas writes them, and with five significant ones. The page is
another job.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import balmi
from balmi.config.settings import Final, Method, Preprocessing, Settings
from balmi.data.cohort import Cohort
from balmi.data.files import write_json
from balmi.data.measurements import Measurements
from balmi.data.model_files import CARD, EVALUATION, FORMAT, write_sums
from balmi.prediction.final import write_final

MODALITIES, CLASSES = ("a", "b", "c"), ("x", "y", "z")
HIDDEN = 8  # directions in which classes differ
SEED = 0
LIBRARY = Path(balmi.__file__).parents[1]  # for a process of its own
WANTED = {"seconds": 10.0, "megabytes": 1500}
DIGITS = {"all digits": None, "five digits": "%.5g"}
# What a job does, and what the process took from its first moment on.
JOB = """
import json, resource, sys
from pathlib import Path
from balmi.config.settings import Prediction
from balmi.prediction.predict import predict_files
asked, folder = Prediction(**json.loads(sys.argv[1])), Path(sys.argv[2])
predict_files("new", asked, folder / "predictions.csv", folder / "prediction.json")
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


def tables(labels: np.ndarray, features: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return what is measured of samples of some classes, by modality; (n, features) each."""
    found = {}
    for place, name in enumerate(MODALITIES):
        fixed = np.random.default_rng([SEED, place])  # the same loadings for whoever is measured
        centres = fixed.normal(size=(len(CLASSES), HIDDEN))
        loadings = 0.4 * fixed.normal(size=(HIDDEN, features))
        scores = centres[labels] + rng.normal(size=(len(labels), HIDDEN))
        found[name] = scores @ loadings + rng.normal(size=(len(labels), features)) + 8
    return found


def write_model(folder: Path, trained: int, features: int, method: Method) -> None:
    """Train the final model, and write it with what stands beside it."""
    rng = np.random.default_rng([SEED, 1, trained])
    labels = rng.permutation(np.arange(trained) % len(CLASSES))
    cohort = Cohort(
        samples=np.array([f"s{row}" for row in range(trained)], dtype=object),
        labels=labels,
        classes=CLASSES,
        groups=None,
        kinds=dict.fromkeys(MODALITIES, "generic"),
        provenance={},
        values={
            name: Measurements(np.arange(trained), table)
            for name, table in tables(labels, features, rng).items()
        },
        features={name: names(name, features) for name in MODALITIES},
    )
    settings = Settings(
        final=Final(method=method), preprocessing=Preprocessing(max_features=features)
    )
    folder.mkdir()
    write_final("drawn", cohort, settings, folder)
    nothing = {"primary": "macro_f1", "other": None, "summary": [], "reliability": []}
    write_json({**nothing, "repeats": 0, "patterns": []}, folder / EVALUATION, FORMAT)
    (folder / CARD).write_text("Drawn samples.\n", encoding="utf-8")
    write_sums(folder)


def names(modality: str, features: int) -> tuple[str, ...]:
    """Return names of features."""
    return tuple(f"{modality}{number}" for number in range(features))


def measured(folder: Path, form: str | None, new: int, features: int) -> tuple[float, float]:
    """Return the processor seconds and the megabytes of a job on files of new samples.

    Parameters
    ----------
    folder
        Where the model lies, and files are written.
    form
        How numbers are written; None with all digits.
    new, features
        How many samples, and features of each modality.
    """
    rng = np.random.default_rng([SEED, 2])
    ids = pd.Index([f"n{row}" for row in range(new)], name="id")
    paths = {}
    for name, values in tables(rng.integers(len(CLASSES), size=new), features, rng).items():
        paths[name] = {"path": str(folder / f"{name}.csv")}
        table = pd.DataFrame(values, index=ids, columns=names(name, features))
        table.to_csv(paths[name]["path"], float_format=form)
    asked = json.dumps({"model": str(folder / "model"), "modalities": paths})
    command = [sys.executable, "-c", JOB, asked, str(folder)]
    done = subprocess.run(
        command,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(LIBRARY)},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, megabytes = json.loads(done.stdout.splitlines()[-1])
    return seconds, megabytes


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for option, default, what in (
        ("trained", 150, "training samples"),
        ("new", 1000, "new samples"),
        ("features", 2000, "features of each of the three modalities"),
    ):
        parser.add_argument(f"--{option}", type=int, default=default, help=what)
    parser.add_argument("--method", type=Method, default=Method.POOLED, help="final.method")
    asked = parser.parse_args()
    head = (
        f"# {asked.new:,} new samples x {len(MODALITIES)} modalities x {asked.features:,} features"
    )
    wanted = f"{WANTED['seconds']:g} processor seconds and {WANTED['megabytes']:,} MB"
    print(head, f"\nWanted: at most {wanted}, start-up counted.\n", sep="\n")
    print("| files | processor seconds | MB |", "| --- | --- | --- |", sep="\n")
    with tempfile.TemporaryDirectory() as name:
        write_model(Path(name) / "model", asked.trained, asked.features, asked.method)
        for files, form in DIGITS.items():
            seconds, megabytes = measured(Path(name), form, asked.new, asked.features)
            print(f"| {files} | {seconds:.1f} | {megabytes:,.0f} |")


if __name__ == "__main__":
    main()
