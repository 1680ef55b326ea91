"""What users see before any job: bad input, dry runs, lint and profiles."""

import pytest

pytestmark = pytest.mark.workflow

BAD = """
datasets:
  my cohort:
    samples: nowhere.csv
    label: pam50
    modalities: {mrna: {path: nowhere.csv, kind: rna-lgo}}
evaluation: {fold: 5}
"""
BAD_FILES = """
datasets:
  mine:
    samples: labels.csv
    label: subtyp
    modalities:
      mrna: {path: mrna.csv, kind: rna-log}
      rppa: {path: rpa.csv, kind: protein}
"""


def run_bad(checkout, text):
    (checkout.folder / "bad.yaml").write_text(text, encoding="utf-8")
    done = checkout.snakemake("--configfile", "bad.yaml", check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.text
    assert "Job stats" not in done.text
    return done.text


def test_all_problems_of_a_configuration_at_once_and_no_job(fresh):
    text = run_bad(fresh, BAD)
    assert "balmi found 3 problems" in text
    assert "'my cohort'" in text
    assert "nearest: 'rna-log'" in text
    assert "nearest: 'folds'" in text


def test_all_problems_of_the_files_at_once_and_no_job(fresh):
    (fresh.folder / "labels.csv").write_text("id,subtype\na,x\nb,y\n", encoding="utf-8")
    (fresh.folder / "mrna.csv").write_text("id,g1,g2\na,1,oops\nb,2,3\n", encoding="utf-8")
    (fresh.folder / "rppa.csv").write_text("id,p1\na,1\n", encoding="utf-8")
    text = run_bad(fresh, BAD_FILES)
    assert "balmi found 3 problems" in text
    assert "nearest: 'subtype'" in text
    assert "row 'a', column 'g2': 'oops'" in text
    assert "nearest: 'rppa.csv'" in text


def test_a_configuration_file_replaces_the_shipped_one(fresh):
    text = fresh.snakemake("-n").text
    assert "simulated" in text
    assert "tcga-brca" not in text
    assert fresh.rules_in(text)
    assert "fuse_networks" not in fresh.rules_in(text)  # which only a graph needs


def test_the_shipped_configuration_plans_the_whole_path(fresh):
    text = fresh.snakemake("-n", "--configfile", "config/config.yaml").text
    for rule in ("fetch_dataset", "measure_splits", "pretrain_distillation", "build_overview"):
        assert rule in text


def test_the_slurm_profile_plans_everything_and_networks_where_there_is_a_graph(fresh):
    path = fresh.folder / "test.yaml"
    text = path.read_text(encoding="utf-8").replace("training: {", "training: {batch_size: null, ")
    more = "resources: {gpu: 1}\nmodel: {graph_weight: 0.1}\n"
    path.write_text(text + more, encoding="utf-8")
    planned = fresh.planned("--workflow-profile", "workflow/profiles/slurm")
    assert {"simulate_dataset", "pretrain_distillation", "train_network"} < planned
    assert "fuse_networks" in planned


def test_lint_is_clean(fresh):
    done = fresh.snakemake("--lint", check=False)
    assert done.returncode == 0, done.text


def test_a_configuration_file_without_datasets_is_refused(fresh):
    assert "datasets" in run_bad(fresh, "evaluation: {folds: 3}\n")
