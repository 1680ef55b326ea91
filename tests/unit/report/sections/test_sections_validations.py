"""The predictions that a dataset's report names."""

import pytest

from balmi.data.files import sha256, write_json
from balmi.data.model_files import EVALUATION, FORMAT, MODEL, SUMMED, write_sums, write_zip
from balmi.report.sections.provenance.validations import (
    OTHER_MODEL,
    OTHER_SCORES,
    UNKNOWN_SCORES,
    Found,
    NewSamples,
    Outdated,
    predicted_by,
)


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


def put(results, name, version=FORMAT, **changes):
    said = {"sentence": f"{name} says.", "value": "macro-F1 .9", "state": "carried over"}
    model = results / "cohort" / "model"
    sums = {"model": sha256(model / MODEL), "evaluation": sha256(model / EVALUATION)}
    told = {"name": name, "dataset": "cohort", **sums, "validation": True, "conclusions": [said]}
    told |= changes
    (results / name).mkdir()
    (results / name / "prediction.json").touch()
    write_json(told, results / name / "view.json", version)
    return NewSamples(name, told["validation"], **said)


def found_in(results):
    return predicted_by(results / "cohort" / "model.zip", "cohort", results)


def test_predictions_by_the_model_are_named_validations_first(results):
    plain = put(results, "a", validation=False)
    validations = [put(results, name) for name in ("c", "b")]
    assert found_in(results) == Found((validations[1], validations[0], plain))


def test_those_by_other_models_and_of_other_formats_are_not(results):
    put(results, "other", model="another checksum", dataset="other")
    put(results, "refused", model=None, dataset=None)
    put(results, "newer", version=FORMAT + 1)
    put(results, "unfinished")
    (results / "unfinished" / "view.json").unlink()
    assert found_in(results) == Found()
    assert predicted_by(None, "cohort", results) == Found()


def test_what_is_of_an_earlier_model_or_evaluation_is_out_of_date(results):
    put(results, "model", model="another checksum")
    put(results, "evaluation", evaluation="another checksum")
    put(results, "earlier", evaluation=None)
    assert found_in(results) == Found(
        outdated=(
            Outdated("earlier", UNKNOWN_SCORES),
            Outdated("evaluation", OTHER_SCORES),
            Outdated("model", OTHER_MODEL),
        )
    )
