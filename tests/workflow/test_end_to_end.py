"""The workflow as its users run it."""

import json
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.workflow
RESULTS = "results/simulated"


def append(path, text):
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_it_ends_with_the_answers_and_their_page(finished):
    view = json.loads((finished.folder / RESULTS / "view.json").read_text(encoding="utf-8"))
    said = [(each["sentence"], each["value"]) for each in view["conclusions"]]
    assert all(value for _, value in said)
    told = finished.first.stdout.strip().splitlines()[-6:]
    assert told[0].startswith("Results (")
    assert [line.strip() for line in told[1:]] == [
        f"simulated: {RESULTS}/report.html",
        *(f"{sentence} [{value}]" for sentence, value in said),
        "all datasets: results/overview.html",
    ]
    for name in ("results/overview.html", f"{RESULTS}/report.html"):
        assert "</html>" in (finished.folder / name).read_text(encoding="utf-8")


def test_it_says_what_runs_and_how_much_is_done(finished):
    text = finished.first.text
    assert "simulated: train balanced in all folds" in text
    assert "(100%) done" in text


def test_every_method_predicts_every_sample_in_every_repeat(finished):
    predictions = pd.read_parquet(finished.folder / RESULTS / "predictions.parquet")
    per_repeat = predictions.groupby(["method", "repeat"])["sample"]
    assert (per_repeat.nunique() == 150).all()
    assert (per_repeat.size() == 150).all()
    methods = set(predictions["method"])
    assert {"balanced", "uniform", "concat-mlp", "concat-lr", "stacked-lr", "unimodal-lr"} < methods
    assert {"late-fusion", "unimodal-lr/strong", "unimodal-lr/noise"} < methods
    splits = pd.read_parquet(finished.folder / RESULTS / "splits.parquet")
    test = splits[splits["part"] == "test"]
    keys = ["sample", "repeat", "fold"]
    expected = set(map(tuple, test[keys].astype({"sample": str}).to_numpy()))
    assert set(map(tuple, predictions[keys].to_numpy())) == expected


def test_results_are_what_was_planted(finished):
    tables = finished.folder / RESULTS / "tables"
    scores = pd.read_csv(tables / "performance.csv").query("metric == 'macro_f1'")
    means = scores.groupby("method")["value"].mean()
    assert means[["balanced", "uniform", "stacked-lr", "concat-lr"]].min() > 0.85
    assert means["unimodal-lr/noise"] < 0.45
    assert means["unimodal-lr/strong"] > means["unimodal-lr/weak"] + 0.2
    information = pd.read_csv(tables / "information.csv")
    label = information.query("quantity == 'label_information'").set_index("modality")
    assert label.loc["strong", "p_value"] <= 0.05
    assert label.loc["noise", "estimate"] < 0.03
    assert abs(label.loc["strong", "estimate"] - 0.9) < 0.2
    training = pd.read_parquet(tables / "training.parquet").query("method == 'balanced'")
    weights = training[training["modality"] != "joint"].groupby("modality")["weight"].mean()
    assert weights["noise"] < 0.5 < weights["strong"]


def test_no_method_failed_and_no_job_warned(finished):
    methods = pd.read_csv(finished.folder / RESULTS / "tables" / "methods.csv")
    assert set(methods["status"]) == {"ok"}
    assert set(methods["device"]) == {"cpu"}
    for log in (finished.folder / RESULTS / "logs").glob("*.log"):
        text = log.read_text(encoding="utf-8")
        assert text, log
        # A tenth of 100 training samples is too little to measure, and the log says so.
        assert log.name.startswith("train_share") or "WARNING" not in text, text
    assert "Warning" not in finished.first.text


def test_training_logs_epochs_replicas_and_time_left(finished):
    text = (finished.folder / RESULTS / "logs" / "train_balanced.log").read_text(encoding="utf-8")
    assert "epoch 25 of at most 25, " in text
    assert "at most 00:00 left" in text


def test_trained_models_are_safetensors_without_holes(finished):
    from safetensors.numpy import load_file

    members = {"balanced": 5, "uniform": 1, "concat-mlp": 1}
    for method, count in members.items():
        model = load_file(finished.folder / RESULTS / "methods" / method / "model.safetensors")
        assert all(np.isfinite(value).all() for value in model.values())
        assert {value.shape[0] for value in model.values()} == {6 * count}
        assert not (finished.folder / RESULTS / "methods" / method / "checkpoints").exists()


PAGES = {"build_report", "build_overview"}
TABLES = {"evaluate_methods", "evaluate_robustness", "assess_trust", "describe_model"} | PAGES
PIPELINE = {"train_share", "run_control"} | TABLES
PEERS = {"fit_baseline", "fit_probed_baseline", "fit_pools", "probe_method"}


@contextmanager
def edited(finished, *modules):
    """Edit modules of the library while the block lasts."""
    paths = [finished.folder / "workflow" / "balmi" / module for module in modules]
    before = [path.read_text(encoding="utf-8") for path in paths]
    for path in paths:
        append(path, "\n/* edited */\n" if path.suffix == ".css" else "\nEDITED = True\n")
    try:
        yield
    finally:
        for path, text in zip(paths, before, strict=True):
            path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("modules", "rerun"),
    [
        (["report/render.py", "report/templates/page.css"], PAGES),
        (
            ["networks/trainer.py", "prediction/rows.py"],
            {"pretrain_distillation", "observe_gains", "train_network", "compare_gains"}
            | {"probe_method", "attribute_features", "fit_final_model", "describe_model"}
            | PIPELINE,
        ),
        (
            ["methods/peers/registry.py", "experiments/attribution/gradients.py"],
            PEERS | PIPELINE | {"fit_final_model", "attribute_features"},
        ),
    ],
)
def test_an_edit_of_the_library_reruns_what_depends_on_it(finished, modules, rerun):
    """Several at a time, since a plan takes seconds; each alone has a test of its hash."""
    with edited(finished, *modules):
        assert finished.planned() == rerun


def test_an_edit_of_the_configuration_reruns_what_it_touches(finished):
    config = finished.folder / "edited.yaml"
    text = (finished.folder / "test.yaml").read_text(encoding="utf-8")
    text = text.replace("advanced: {", "advanced: {distillation: {strength: 0.5}, ")
    config.write_text(text, encoding="utf-8")
    planned = finished.planned("--configfile", "edited.yaml")
    assert "pretrain_distillation" in planned
    assert not planned & {"assemble_cohort", "split_cohort", "fit_baseline", "measure_information"}


def test_another_metric_to_follow_trains_nothing_again(finished):
    config = finished.folder / "edited.yaml"
    text = (finished.folder / "test.yaml").read_text(encoding="utf-8")
    config.write_text(text + "primary_metric: log_loss\n", encoding="utf-8")
    assert finished.planned("--configfile", "edited.yaml") == TABLES


def test_a_column_that_is_added_reruns_what_writes_it(finished):
    path = finished.folder / "workflow" / "balmi" / "tables" / "contract.yaml"
    before = path.read_text(encoding="utf-8")
    column = "    cramers_v: {type: float"
    assert column in before
    added = before.replace(column, "    new: {type: int, meaning: new}\n" + column)
    path.write_text(added, encoding="utf-8")
    try:
        planned = finished.planned()
    finally:
        path.write_text(before, encoding="utf-8")
    assert planned == {"assess_trust"} | PAGES


def test_a_key_retrains_the_methods_that_read_it_and_no_other(finished):
    text = (finished.folder / "test.yaml").read_text(encoding="utf-8")
    text = text.replace("training: {", "training: {balancing: inverse, members: 2, ")
    (finished.folder / "rule.yaml").write_text(text, encoding="utf-8")
    plan = finished.snakemake("-n", "--configfile", "rule.yaml").text
    assert "train_network" in finished.rules_in(plan)
    assert "simulated: train balanced" in plan
    assert "simulated: train uniform" not in plan
    assert "simulated: train concat-mlp" not in plan
    assert not {"fit_baseline", "observe_gains"} & finished.rules_in(plan)


def test_snakemake_report_carries_both_pages(bundle):
    assert bundle.stat().st_size > 100_000


def test_a_gpu_that_is_not_there_stops_the_run_before_any_job_and_says_so(finished):
    text = (finished.folder / "test.yaml").read_text(encoding="utf-8")
    (finished.folder / "gpu.yaml").write_text(text + "resources: {gpu: 1}\n", encoding="utf-8")
    target = f"{RESULTS}/methods/uniform/status.json"
    written = (finished.folder / target).stat().st_mtime_ns
    arguments = ("--configfile", "gpu.yaml", "--force", target)
    done = finished.snakemake(*arguments, check=False, CUDA_VISIBLE_DEVICES="")
    assert done.returncode != 0
    assert "1 GPU asked for, but torch sees none" in done.text
    assert "Traceback" not in done.text
    assert (finished.folder / target).stat().st_mtime_ns == written
    assert "Nothing to be done" in finished.snakemake().text


def test_what_changes_no_result_reruns_nothing(finished):
    """Keys of how it is computed, a new table, and what only writes the manual."""
    text = (finished.folder / "test.yaml").read_text(encoding="utf-8")
    idle = "advanced: {training: {replicas: 1, checkpoint_every: 7}, "
    text = text.replace("advanced: {", idle)
    (finished.folder / "idle.yaml").write_text(text + "resources: {gpu: 1}\n", encoding="utf-8")
    contract = finished.folder / "workflow" / "balmi" / "tables" / "contract.yaml"
    before = contract.read_text(encoding="utf-8")
    entry = (
        "{file: tables/new.csv, rule: nothing, meaning: new, columns: {a: {type: int, meaning: a}}}"
    )
    append(contract, f"new: {entry}\n")
    try:
        with edited(finished, "config/document.py"):
            done = finished.snakemake("-n", "--configfile", "idle.yaml")
    finally:
        contract.write_text(before, encoding="utf-8")
    assert "Nothing to be done" in done.text


def test_the_status_of_a_method_is_json(finished):
    path = finished.folder / RESULTS / "methods" / "balanced" / "status.json"
    status = json.loads(path.read_text(encoding="utf-8"))
    assert status["status"] == "ok"
    assert status["seconds"] > 0
