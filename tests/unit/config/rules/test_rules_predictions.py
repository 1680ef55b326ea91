"""The final models of a run, and the predictions by them."""

from types import SimpleNamespace

import pytest

from balmi.config.rules.predictions import Predictions
from balmi.config.settings import Configuration
from balmi.errors import UserError

RNA = {"rna": {"path": "new/rna.csv"}}
LATER = SimpleNamespace(prediction="later")


def predictions(model, prefix="", **sections):
    later = {"model": str(model), "modalities": RNA, "samples": "new/labels.csv"}
    datasets = {name: {"catalogue": "simulated"} for name in ("one", "other")}
    settings = {"datasets": datasets, "predict": {"later": later}} | sections
    return Predictions(Configuration.model_validate(settings), lambda path: f"{prefix}{path}")


def test_what_is_kept_and_predicted():
    found = predictions("results/one/model")
    assert found.models() == ["results/one/model.zip", "results/other/model.zip"]
    files = ("predictions.csv", "report.html", "logs/accepted")
    assert found.pages() == [f"results/later/{name}" for name in files]
    assert predictions("results/one/model", final={"method": None}).models() == []


@pytest.mark.parametrize(
    ("path", "dataset"),
    [
        ("results/one/model", "one"),
        ("./results//other/model.zip", "other"),
        ("results/one", None),
        ("elsewhere/results/one/model", None),
    ],
)
def test_the_dataset_whose_model_lies_at_a_path(path, dataset):
    assert predictions("x").dataset_of_model(path) == dataset
    assert predictions("x", final={"method": None}).dataset_of_model(path) is None


def test_a_model_lies_below_the_prefix_of_a_module():
    inner = predictions("x", prefix="made/")
    assert inner.dataset_of_model("made/results/one/model") == "one"
    assert inner.dataset_of_model("results/one/model") is None


def test_a_model_that_this_run_makes_is_an_input_and_no_file_of_the_user():
    found = predictions("results/one/model")
    assert found.made(LATER) == [
        "results/one/model.zip",
        "results/one/model/model.json",
        "results/one/model/arrays.safetensors",
        "results/one/model/evaluation.json",
        "results/one/model/SHA256SUMS",
    ]
    assert found.given(LATER) == ["new/labels.csv", "new/rna.csv"]
    assert found.concluded(SimpleNamespace(dataset="one")) == ["results/later/view.json"]
    assert found.concluded(SimpleNamespace(dataset="other")) == []


def test_of_a_model_that_is_there_the_checksums_are_read(tmp_path):
    folder = predictions(tmp_path)
    assert folder.made(LATER) == []
    assert folder.given(LATER)[2:] == [str(tmp_path / "SHA256SUMS")]
    packed = predictions(tmp_path / "model.zip")
    assert packed.given(LATER)[2:] == [str(tmp_path / "model.zip")]
    assert packed.concluded(SimpleNamespace(dataset="one")) == []


def test_a_folder_of_results_of_another_kind_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = predictions("x", prefix="below/")
    own = {"later": "prediction.json", "one": "samples.json"}
    others = {"later": "samples.json", "one": "prediction.json"}
    for name, mark in own.items():
        folder = tmp_path / "below" / "results" / name
        folder.mkdir(parents=True)
        (folder / mark).touch()
    asked.check_folders()
    for name, mark in others.items():
        (tmp_path / "below" / "results" / name / mark).touch()
    with pytest.raises(UserError) as caught:
        asked.check_folders()
    assert [problem.where for problem in caught.value.problems] == ["predict.later", "datasets.one"]
    assert "a dataset whose results lie in below/results/later" in caught.value.problems[0].found
