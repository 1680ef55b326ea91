"""The predictions that a dataset's report names."""

import json

import pytest

from balmi.data.files import sha256, write_json
from balmi.data.model_files import FORMAT, MODEL, SUMMED, write_sums, write_zip
from balmi.report.sections.provenance.validations import NewSamples, predicted_by


@pytest.fixture
def results(tmp_path):
    """A folder of results with the model of a dataset, and a page of another dataset."""
    model = tmp_path / "cohort" / "model"
    model.mkdir(parents=True)
    for name in SUMMED:
        (model / name).write_text("a file")
    write_sums(model)
    write_zip(model, tmp_path / "cohort" / "model.zip")
    (tmp_path / "cohort" / "view.json").write_text("{}")
    (tmp_path / "overview.html").touch()
    return tmp_path


def put(results, name, validation=True, model=None, version=FORMAT):
    said = {"sentence": f"{name} says.", "value": "macro-F1 .9", "state": "carried over"}
    model = sha256(results / "cohort" / "model" / MODEL) if model is None else model
    told = {"name": name, "model": model, "validation": validation, "conclusions": [said]}
    (results / name).mkdir()
    (results / name / "prediction.json").touch()
    write_json(told, results / name / "view.json", version)
    return NewSamples(name, validation, **said)


def test_predictions_by_the_model_are_named_validations_first(results):
    plain = put(results, "a", validation=False)
    validations = [put(results, name) for name in ("c", "b")]
    found = predicted_by(results / "cohort" / "model.zip", results)
    assert found == (validations[1], validations[0], plain)


def test_those_by_other_models_and_of_other_formats_are_not(results):
    put(results, "other", model="another checksum")
    put(results, "newer", version=FORMAT + 1)
    put(results, "unfinished")
    (results / "unfinished" / "view.json").unlink()
    assert predicted_by(results / "cohort" / "model.zip", results) == ()
    assert predicted_by(None, results) == ()


def test_a_prediction_of_an_earlier_release_names_no_model(results):
    put(results, "earlier")
    path = results / "earlier" / "view.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model": None}))
    assert predicted_by(results / "cohort" / "model.zip", results) == ()
