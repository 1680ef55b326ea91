"""New samples, as users predict them: after a run, by a configuration of their own."""

import json
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
import yaml

from balmi.data.cohort import read_cohort

pytestmark = pytest.mark.workflow
MODEL = "results/simulated/model"
PAGES = ("build_report", "build_overview")


@pytest.fixture(scope="module")
def patients(finished):
    """Write measurements like those of the cohort, as another laboratory would send them."""
    folder = finished.folder / "new"
    folder.mkdir()
    cohort = read_cohort(finished.folder / "results/simulated/cohort.h5mu")
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(cohort.samples))[:40]
    for name, values in cohort.tables.items():
        table = pd.DataFrame(values[rows], index=rows, columns=cohort.features[name])
        table = (table + 0.2 * rng.normal(size=table.shape)).dropna(how="all")
        table.index = pd.Index([f"patient-{row}" for row in table.index], name="id")
        table.iloc[::-1, ::-1].assign(extra=1.0).to_csv(folder / f"{name}.csv")
    classes = np.array(cohort.classes)[cohort.labels[rows]]
    ids = pd.Index([f"patient-{row}" for row in rows], name="id")
    pd.DataFrame({"subtype": classes}, index=ids).to_csv(folder / "labels.csv")
    lacking = pd.read_csv(folder / "strong.csv", index_col=0)
    lacking.iloc[:, 2:].rename(columns=str.upper).to_csv(folder / "lacking.csv")
    return finished


def files(*names):
    return {name: {"path": f"new/{name}.csv"} for name in names}


def configure(checkout, **predictions):
    text = yaml.safe_dump({"predict": predictions})
    (checkout.folder / "predict.yaml").write_text(text, encoding="utf-8")
    return ("--configfile", "predict.yaml")


@pytest.fixture(scope="module")
def predicted(patients):
    """Return how the patients were predicted, with labels at a site and without at a clinic."""
    whole = files("strong", "redundant", "weak", "noise")
    part = {"strong": {"path": "new/lacking.csv"}, "redundant": whole["redundant"]}
    chosen = configure(
        patients,
        site={"model": MODEL, "modalities": whole, "samples": "new/labels.csv"},
        clinic={"model": f"{MODEL}.zip", "modalities": part},
    )
    done = patients.snakemake("predict", *chosen)
    assert "Nothing to be done" in patients.snakemake("predict", *chosen, "-n").text
    return done


def test_new_samples_are_predicted_and_validated(patients, predicted):
    done = predicted
    assert "results/site/report.html" in done.stdout
    assert "External validation on 40 samples: " in done.stdout
    assert "in the cross-validation]" in done.stdout
    assert "features whose names differ" in done.text
    site, clinic = (
        pd.read_csv(patients.folder / "results" / name / "predictions.csv").fillna({"flags": ""})
        for name in ("site", "clinic")
    )
    assert len(site) == len(clinic) == 40
    assert (site["class"] == site["label"]).mean() > 0.8
    assert site.filter(like="p:").sum(axis=1).to_numpy() == pytest.approx(np.ones(40))
    assert not site["flags"].str.contains("training sample").any()
    assert clinic["flags"].str.contains("lacks weak, noise").all()
    assert clinic["flags"].str.contains("17% of strong missing").all()
    pages = [patients.folder / "results" / name / "report.html" for name in ("site", "clinic")]
    texts = [page.read_text(encoding="utf-8") for page in pages]
    assert "External validation of the model of simulated on 40 samples" in texts[0]
    assert "Predictions of 40 new samples by the model of simulated" in texts[1]


def beside(checkout, **prediction):
    """Configure a prediction beside the dataset whose model it is by."""
    text = (checkout.folder / "test.yaml").read_text(encoding="utf-8")
    both = yaml.safe_load(text) | {"predict": {"beside": {"model": MODEL, **prediction}}}
    (checkout.folder / "both.yaml").write_text(yaml.safe_dump(both), encoding="utf-8")
    return ("--configfile", "both.yaml")


@contextmanager
def broken(checkout, script, work):
    """Make what a script does fail, for a while."""
    path = checkout.folder / "workflow" / "scripts" / f"{script}.py"
    text = path.read_text(encoding="utf-8")
    assert work in text
    path.write_text(text.replace(work, f"{{}}['nowhere'].{work}"), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")


def assert_not_accepted(done, *words):
    """See that a run failed at its end, for a prediction that was not made, in these words."""
    assert done.returncode != 0
    _, _, last = done.stderr.rpartition("Failed jobs:")
    assert "1. accept_prediction (results/beside/logs/accept_prediction.log)" in last
    assert [word for word in words if word not in last] == []


def assert_left_out(patients, chosen, script, work):
    """See that a job of the prediction that fails holds up no report, and is tried again."""
    report, page = (
        patients.folder / f"results/{name}/report.html" for name in ("simulated", "beside")
    )
    report.unlink()
    with broken(patients, script, work):
        done = patients.snakemake(*chosen, "--forcerun", script, check=False)
    log = f"results/beside/logs/{script}.log"
    assert_not_accepted(done, log, "KeyError: 'nowhere'")
    assert "Traceback" in (patients.folder / log).read_text(encoding="utf-8")
    assert "../beside/" not in report.read_text(encoding="utf-8")
    assert "A job failed" in page.read_text(encoding="utf-8")
    assert {script, "accept_prediction"} <= patients.planned(*chosen)


def test_the_report_names_predictions_that_are_beside_it_when_it_is_made(patients, predicted):
    """One of the same configuration is made before it; one refused or failed holds it not up."""
    report, page = "results/simulated/report.html", "results/beside/report.html"
    assert "Nothing to be done" in patients.snakemake(report, "-n").text
    link = 'External validation: <a href="../beside/report.html">'
    table = pd.read_csv(patients.folder / "new" / "strong.csv", index_col=0)
    (40 + 9 * table).to_csv(patients.folder / "new" / "moved.csv")
    refused = beside(patients, modalities={"strong": {"path": "new/moved.csv"}})
    assert_not_accepted(patients.snakemake(*refused, check=False), "other_scale: warn")
    assert "../beside/" not in (patients.folder / report).read_text(encoding="utf-8")
    told = (patients.folder / page).read_text(encoding="utf-8")
    assert "deviations from its training median" in told
    # What is wrong is looked at again, and nothing else.
    again = patients.planned(*refused)
    assert {"predict_samples", "accept_prediction"} <= again
    assert not again - {"build_prediction_page", *PAGES} - {"predict_samples", "accept_prediction"}
    mended = beside(patients, modalities=files("strong"), samples="new/labels.csv")
    assert_left_out(patients, mended, "predict_samples", "predict_files(name")
    assert_left_out(patients, mended, "build_prediction_page", "build_prediction_page(*inputs")
    patients.snakemake(*mended)
    assert link in (patients.folder / report).read_text(encoding="utf-8")
    assert "Nothing to be done" in patients.snakemake(*mended, "-n").text
    # Without it in the configuration the report is another, as other tests expect it.
    assert "build_report" in patients.rules_in(patients.snakemake(report, "-n").text)
    patients.snakemake()
    text = (patients.folder / report).read_text(encoding="utf-8")
    named = text.partition('id="validations"')[2].partition("</ul>")[0]
    for name in ("site", "clinic", "beside"):
        assert f'<a href="../{name}/report.html">' in named
    assert "External validation on 40 samples: " in named


def test_all_that_is_wrong_is_said_before_any_job(patients):
    wrong = {"model": MODEL, "modalities": files("strong", "protein"), "missing_share": 0.1}
    pickled = {"model": "new/model.pkl", "modalities": files("strong")}
    (patients.folder / "new" / "model.pkl").write_bytes(b"\x80\x04.")
    done = patients.snakemake("predict", *configure(patients, one=wrong, two=pickled), check=False)
    assert done.returncode != 0
    assert "balmi found 2 problems" in done.text
    assert "predict.one.modalities.protein" in done.text
    assert "predict.two.model: new/model.pkl" in done.text
    assert "Traceback" not in done.text


def test_another_unit_is_refused_by_the_job_in_words(patients):
    table = pd.read_csv(patients.folder / "new" / "strong.csv", index_col=0)
    (40 + 9 * table).to_csv(patients.folder / "new" / "other.csv")
    other = {"model": MODEL, "modalities": {"strong": {"path": "new/other.csv"}}}
    done = patients.snakemake("predict", *configure(patients, other=other), check=False)
    assert done.returncode != 0
    assert "deviations from its training median" in done.text
    assert "other_scale: warn" in done.text
    warned = configure(patients, other={**other, "other_scale": "warn"})
    patients.snakemake("predict", *warned)
    folder = patients.folder / "results" / "other"
    table = (folder / "predictions.csv").read_text(encoding="utf-8")
    assert "may be in another unit" in table
    assert json.loads((folder / "prediction.json").read_text(encoding="utf-8"))["remarks"]


def test_the_model_is_offered_with_its_checksum(finished):
    page = (finished.folder / "results/simulated/report.html").read_text(encoding="utf-8")
    told = (finished.folder / MODEL / "SHA256SUMS").read_text(encoding="utf-8")
    assert len(told.splitlines()) == 4
    assert 'download="simulated-model.zip"' in page or "results/simulated/model.zip" in page
    card = (finished.folder / MODEL / "CARD.md").read_text(encoding="utf-8")
    summary = pd.read_csv(finished.folder / "results/simulated/tables/summary.csv")
    row = summary.query("method == 'pooled' and metric == 'macro_f1'").iloc[0]
    assert f"{row['mean']:.3f} ({row['lower']:.3f} to {row['upper']:.3f})" in card


def test_what_the_model_tells_of_lacking_modalities_is_what_the_report_has(finished):
    """Though the model waits for no training on fewer samples and no control."""
    told = json.loads((finished.folder / MODEL / "evaluation.json").read_text(encoding="utf-8"))
    table = pd.read_csv(finished.folder / "results/simulated/tables/robustness.csv")
    rows = table.query("method == 'pooled' and kind == 'dropped'")
    assert len(told["dropped"]) == len(rows) > 0
    mine, same = (
        pd.DataFrame(each)[["difference", "difference_lower"]] for each in (told["dropped"], rows)
    )
    assert mine.to_numpy(dtype=float) == pytest.approx(same.to_numpy(), rel=1e-9)
    packed = "results/simulated/model.zip"
    planned = finished.planned("--configfile", "test.yaml", "--forceall", "--", packed)
    assert "describe_model" in planned
    assert not {"train_share", "run_control", "evaluate_robustness"} & planned
