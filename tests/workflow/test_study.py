"""A small study from its configuration to its tables."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from balmi.data.files import sha256

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.workflow
STUDY = ("--snakefile", "benchmarks/study/Snakefile")
CONFIG = """
phase: confirm
phases: {confirm: {seed: 7, summary: results/summary}}
settings:
  evaluation: {repeats: 1, folds: 3}
  information: {permutations: 19}
  advanced: {information: {fold_permutations: 19, folds: 3}}
  training: {epochs: 10, members: 1}
cohorts: {simulated: {simulate: {samples: 150, features: 12}}}
variants:
  balanced:
  stacked-lr:
"""


@pytest.fixture
def study(fresh):
    """Return a function that runs the study of a configuration in a fresh checkout."""
    ignored = shutil.ignore_patterns("__pycache__", "results")
    shutil.copytree(ROOT / "benchmarks", fresh.folder / "benchmarks", ignore=ignored)

    def run(text, *arguments, check=True):
        (fresh.folder / "study.yaml").write_text(text, encoding="utf-8")
        path = "workflow:benchmarks"
        arguments = (*STUDY, "--configfile", "study.yaml", *arguments)
        return fresh.snakemake(*arguments, check=check, PYTHONPATH=path)

    run.folder = fresh.folder
    return run


def test_a_small_study(study):
    assert "Study, phase confirm: 1 cohorts, 2 variants" in study(CONFIG).text
    table = pd.read_csv(study.folder / "results" / "summary.csv")
    assert set(table["metric"]) == {"macro_f1", "log_loss", "accuracy", "macro_auroc"}
    assert table.groupby(["variant", "metric"]).size().to_dict() == {
        (variant, metric): 3
        for variant in ("balanced", "stacked-lr")
        for metric in set(table["metric"])
    }
    assert table.query("metric == 'macro_f1'")["value"].mean() > 0.8
    sums = (study.folder / "results" / "SHA256SUMS").read_text(encoding="utf-8")
    assert sums == f"{sha256(study.folder / 'results' / 'summary.csv')}  summary.csv\n"
    text = (study.folder / "results" / "summary.md").read_text(encoding="utf-8")
    assert "Every method ended well." in text
    assert "Nothing to be done" in study(CONFIG).text


def test_a_bad_study_is_refused_before_any_job(study):
    done = study(CONFIG.replace("training: {epochs", "trainig: {epochs"), "-n", check=False)
    assert done.returncode != 0
    assert "nearest: 'training'" in done.text
    assert "Traceback" not in done.text


def test_the_shipped_study_plans_its_phases(study):
    text = (ROOT / "benchmarks" / "study.yaml").read_text(encoding="utf-8")
    planned = study(text, "-n").text
    for rule in ("fetch_dataset", "simulate_dataset", "summarise_study"):
        assert rule in planned
    assert "fuse_networks" in study(text, "-n", "--config", "phase=parts").text
    planned = study(text, "-n", "--config", "phase=tune").text
    assert "study/tune/kipan" in planned
    assert "study/confirm" not in planned
    assert "fuse_networks" not in planned
