"""What is refused of predictions before any job, by names alone where no more can be looked at."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from balmi.config.settings import Dataset, Prediction
from balmi.data import newcomer_checks
from balmi.data.newcomer_checks import check_predictions
from balmi.data.newcomers import read_newcomers
from balmi.errors import UserError

GENES = [f"G{number}" for number in range(10)]
KEPT = {"name": "rna", "kind": "rna-log", "features": GENES, "kept": list(range(10))}
ABOUT = {"classes": ["a", "b"], "label": "subtype", "modalities": [KEPT]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files of a dataset and of new samples, which are in order."""
    monkeypatch.chdir(tmp_path)
    for name, ids in (("", ["s1", "s2"]), ("new-", ["n1", "n2"])):
        values = np.arange(20.0).reshape(2, 10)
        pd.DataFrame(values, index=ids, columns=GENES).to_csv(f"{name}rna.csv", index_label="id")
        classes = {"subtype": ["a", "b"], "site": ["x", "y"]}
        pd.DataFrame(classes, index=ids).to_csv(f"{name}labels.csv", index_label="id")
    return tmp_path


def of(**changes):
    keys = {"model": "m", "modalities": {"rna": {"path": "new-rna.csv"}}}
    return {"x": Prediction(**{**keys, "samples": "new-labels.csv", **changes})}


def dataset(**control):
    modalities = {"rna": {"path": "rna.csv", "kind": "rna-log"}}
    keys = {"samples": "labels.csv", "label": "subtype", "modalities": modalities}
    return lambda path: Dataset(**keys, control=control)


@pytest.fixture(params=["large files", "a model that is yet to be made"])
def check(request, monkeypatch):
    """Return a function that checks by names alone."""
    if request.param == "large files":
        monkeypatch.setattr(newcomer_checks, "_manifest", lambda *given: ABOUT)
        return lambda predictions: check_predictions(predictions, lambda path: None, 0)
    return lambda predictions: check_predictions(predictions, dataset())


def problems(call, *arguments):
    with pytest.raises(UserError) as error:
        call(*arguments)
    return error.value.problems


def test_model_and_files_are_told_of_together(tmp_path):
    prediction = Prediction(model=str(tmp_path / "m"), modalities={"rna": {"path": "none.csv"}})
    found = problems(check_predictions, {"x": prediction}, lambda path: None)
    assert [problem.where.split(":")[0] for problem in found] == [
        "predict.x.model",
        "predict.x.modalities.rna",
    ]


def test_what_is_in_order_is_accepted(folder, check):
    assert check(of()) == ()
    assert check(of(label="subtype", group="site")) == ()


def test_a_modality_that_no_model_has_is_refused(folder, check):
    rna = {"path": "new-rna.csv"}
    (problem,) = problems(check, of(modalities={"rna": rna, "rnaa": rna}))
    assert (problem.where, problem.nearest) == ("predict.x.modalities.rnaa", "'rna'")


def test_no_shared_feature_is_refused_by_the_header(folder, check):
    table = pd.read_csv("new-rna.csv", index_col=0)
    table.rename(columns=lambda name: name.replace("G", "H")).to_csv("new-rna.csv")
    (problem,) = problems(check, of())
    assert problem.where == "predict.x.modalities.rna: new-rna.csv"
    assert problem.found.startswith("no feature of the model")


def written(table, path):
    """Write measurements in the format of a path's ending, and return a prediction of them."""
    if path.endswith(".parquet"):
        table.to_parquet(path)
    else:
        AnnData(table).write_h5ad(path)
    return of(modalities={"rna": {"path": path}}, samples=None)


@pytest.mark.parametrize("path", ["new.parquet", "new.h5ad"])
def test_features_are_told_before_any_job_in_words_of_the_job(folder, check, path):
    table = pd.read_csv("new-rna.csv", index_col=0)
    assert check(written(table, path)) == ()
    (problem,) = problems(check, written(table.rename(columns="X{}".format), path))
    assert problem.where == f"predict.x.modalities.rna: {path}"
    assert problem.found == "no feature of the model; here are 'XG0', 'XG1', 'XG2'"
    whole = problems(read_newcomers, "x", written(table.add_prefix("X"), path)["x"], ABOUT)
    assert whole == [problem]


@pytest.mark.parametrize("path", ["new.csv", "new.h5ad"])
def test_rows_that_look_like_features_are_told_before_any_job(folder, check, path):
    table = pd.read_csv("new-rna.csv", index_col=0).T
    table.to_csv("new.csv")
    (problem,) = problems(
        check,
        written(table, path)
        if path != "new.csv"
        else of(modalities={"rna": {"path": path}}, samples=None),
    )
    assert "transpose the table" in problem.allowed


def test_names_that_mean_the_same_are_shared(folder, check):
    table = pd.read_csv("new-rna.csv", index_col=0)
    table.rename(columns=str.lower).to_csv("new-rna.csv")
    assert check(of()) == ()


@pytest.mark.parametrize(
    ("changes", "where", "found"),
    [
        ({"label": "subtyp"}, "predict.x.label", "'subtyp', which is no single column"),
        ({"group": "centre"}, "predict.x.group", "'centre', which is no single column"),
        ({"label": "site"}, "predict.x.samples: new-labels.csv", "'x', 'y' in 2 rows"),
        ({"samples": "none.csv"}, "predict.x.samples: none.csv", "no such file"),
    ],
)
def test_a_table_of_samples_is_read(folder, check, changes, where, found):
    (problem,) = problems(check, of(**changes))
    assert problem.where == where
    assert problem.found.startswith(found)


def test_of_a_model_that_is_there_missing_features_are_counted_in_the_header(folder, monkeypatch):
    monkeypatch.setattr(newcomer_checks, "_manifest", lambda *given: ABOUT)
    pd.read_csv("new-rna.csv", index_col=0).iloc[:, :6].to_csv("new-rna.csv")
    (problem,) = problems(check_predictions, of(), lambda path: None, 0)
    assert problem.found.startswith("4 of the 10 features that the model looks at are missing")
    table = pd.read_csv("new-rna.csv", index_col=0)
    for path in ("new.parquet", "new.h5ad"):
        found = problems(check_predictions, written(table, path), lambda path: None, 0)
        assert [each.found for each in found] == [problem.found]
    # Which features a model will look at that is yet to be made is not known.
    assert check_predictions(of(), dataset()) == ()


def test_a_copy_of_a_modality_is_one_of_the_model(folder):
    copied = {"rna-copy": {"path": "new-rna.csv"}}
    assert check_predictions(of(modalities=copied), dataset(duplicated=["rna"])) == ()
    (problem,) = problems(check_predictions, of(modalities=copied), dataset())
    assert problem.found == "a modality that the model does not know"


def test_files_of_the_dataset_that_rules_make_are_not_looked_at(folder):
    (folder / "rna.csv").unlink()
    (folder / "labels.csv").unlink()
    assert check_predictions(of(label="site"), dataset()) == ()
