"""Files of new samples: read in the order of the model's features, all that is wrong at once."""

import numpy as np
import pandas as pd
import pytest

from balmi.config.settings import Prediction
from balmi.data.newcomers import read_newcomers
from balmi.errors import UserError

ABOUT = {
    "classes": ["a", "b"],
    "label": "subtype",
    "modalities": [
        {"name": "rna", "kind": "rna-log", "features": ["G1", "G2", "G3", "G4", "G5"]}
        | {"kept": [0, 1, 2, 3, 4]},
        {"name": "beta", "kind": "methylation-beta", "features": ["cg1", "cg2"], "kept": [0, 1]},
    ],
}
RNA = pd.DataFrame(
    np.arange(15.0).reshape(3, 5),
    index=["s1", "s2", "s3"],
    columns=ABOUT["modalities"][0]["features"],
)
BETA = pd.DataFrame([[0.1, 0.9], [0.2, 0.8]], index=["s3", "s4"], columns=["cg1", "cg2"])


@pytest.fixture
def read(tmp_path):
    """Return a function that writes tables and reads them as new samples."""

    def make(samples=None, changes=None, **tables):
        files = {}
        for name, table in tables.items():
            files[name] = {"path": str(tmp_path / f"{name}.csv")}
            table.to_csv(files[name]["path"], index_label="id")
        keys = {"model": "m", "modalities": files, **(changes or {})}
        if samples is not None:
            samples.to_csv(tmp_path / "labels.csv", index_label="id")
            keys["samples"] = str(tmp_path / "labels.csv")
        return read_newcomers("new", Prediction(**keys), ABOUT)

    return make


def problems(call, *arguments, **keys):
    with pytest.raises(UserError) as error:
        call(*arguments, **keys)
    return error.value.problems


def test_samples_are_joined_and_features_stand_in_the_models_order(read):
    shuffled = RNA[["G4", "G1", "G5", "G2", "G3"]].assign(extra=1.0)
    found = read(rna=shuffled, beta=BETA)
    assert found.samples.tolist() == ["s1", "s2", "s3", "s4"]
    rna, beta = found.modalities["rna"], found.modalities["beta"]
    np.testing.assert_array_equal(rna.measured.values, RNA.to_numpy())
    assert rna.measured.rows.tolist() == [0, 1, 2]
    assert beta.measured.rows.tolist() == [2, 3]
    assert (rna.extra, rna.share, found.labels) == (1, 0.0, None)


def test_one_sample_alone_is_read(read):
    assert read(rna=RNA.iloc[:1]).samples.tolist() == ["s1"]


def test_a_sample_of_empty_cells_lacks_the_modality(read):
    table = RNA.copy()
    table.loc["s2"] = np.nan
    found = read(rna=table, beta=BETA)
    assert found.samples.tolist() == ["s1", "s3", "s4"]


def test_missing_features_up_to_the_share_are_empty(read):
    found = read(rna=RNA.drop(columns="G2")).modalities["rna"]
    assert (found.share, found.missing.tolist()) == (0.2, [False, True, False, False, False])
    assert np.isnan(found.measured.values[:, 1]).all()


def test_more_missing_features_are_refused_with_their_share(read):
    (problem,) = problems(read, rna=RNA[["G1", "G3"]])
    assert "3 of the 5 features" in problem.found
    assert "60%" in problem.found
    assert "20%" in problem.allowed
    found = read(rna=RNA[["G1", "G3", "G4"]], changes={"missing_share": 0.5})
    assert found.modalities["rna"].share == 0.4


def test_few_samples_without_a_value_do_not_tell_that_a_feature_is_missing(read):
    """One sample alone is predicted as it is among others."""
    found = read(rna=RNA.assign(G2=np.nan)).modalities["rna"]
    assert (found.share, found.missing.tolist()) == (0, [False] * 5)


def test_features_without_any_value_are_missing(read, monkeypatch):
    """As where tables of several platforms were joined."""
    monkeypatch.setattr("balmi.data.newcomers.FEWEST_TO_TELL", len(RNA))
    table = RNA.assign(G2=np.nan)
    found = read(rna=table).modalities["rna"]
    assert (found.share, found.missing.tolist()) == (0.2, [False, True, False, False, False])
    assert (found.extra, found.absent) == (0, ("G2",))
    told = "\n".join(read(rna=table).remarks)
    assert "1 feature of the model without any value: 'G2'; they count as missing" in told
    (problem,) = problems(read, rna=table.assign(G3=np.nan).drop(columns="G4"))
    assert "3 of the 5 features that the model looks at are missing, 2 of them as" in problem.found
    nothing = RNA.assign(other=1.0)
    nothing[RNA.columns] = np.nan
    (problem,) = problems(read, rna=nothing)
    assert "5 of the 5 features that the model looks at are missing, 5 of them" in problem.found


def test_a_sample_with_few_values_is_told_of(read):
    table = RNA.copy()
    table.loc["s2", ["G1", "G2"]] = np.nan
    told = "\n".join(read(rna=table).remarks)
    assert "1 sample with few values of the model's features: 's2'" in told
    table.loc["s2", "G2"] = 1.0
    assert not any("few values" in remark for remark in read(rna=table).remarks)
    table.loc["s2"] = np.nan  # it lacks the modality
    assert not any("few values" in remark for remark in read(rna=table, beta=BETA).remarks)


def test_features_that_a_transform_looks_at_count_too(read, monkeypatch):
    """Nothing is learned from G3 to G5, but the size of a library is theirs too."""
    monkeypatch.setitem(ABOUT["modalities"][0], "kept", [0, 1])
    (problem,) = problems(read, rna=RNA[["G1", "G2", "G3"]])
    assert "2 of the 5 features that the model looks at" in problem.found
    found = read(rna=RNA[["G1", "G2", "G3", "G4"]]).modalities["rna"]
    assert (found.share, found.used) == (0.2, 5)


def test_ids_of_one_sample_that_files_write_in_two_ways_are_refused(read):
    other = BETA.set_axis(["S1-01A", "S2-01A"], axis=0)
    rna = RNA.set_axis(["S1", "S2", "S3"], axis=0)
    (problem,) = problems(read, rna=rna, beta=other)
    assert problem.where == "predict.new.modalities.beta"
    assert "'S1'" in problem.found
    assert "'S1-01A'" in problem.found


def test_and_told_where_others_are_shared(read):
    other = BETA.set_axis(["S1-01A", "S2"], axis=0)
    found = read(rna=RNA.set_axis(["S1", "S2", "S3"], axis=0), beta=other)
    assert found.samples.tolist() == ["S1", "S2", "S3", "S1-01A"]
    assert any("taken for different samples" in remark for remark in found.remarks)


def test_modalities_that_share_no_sample_are_told(read):
    found = read(rna=RNA, beta=BETA.set_axis(["m1", "m2"], axis=0))
    assert found.samples.tolist() == ["s1", "s2", "s3", "m1", "m2"]
    (told,) = (remark for remark in found.remarks if "no sample" in remark)
    assert "rna: 's1', 's2', 's3'; beta: 'm1', 'm2'" in told
    assert not any("no sample" in remark for remark in read(rna=RNA, beta=BETA).remarks)
    assert not any("no sample" in remark for remark in read(rna=RNA).remarks)


def test_no_shared_feature_and_a_transposed_table_are_told(read):
    (problem,) = problems(read, rna=RNA.rename(columns=lambda name: f"x{name}x"))
    assert problem.found.startswith("no feature of the model")
    (problem,) = problems(read, rna=RNA.T)
    assert "transpose" in problem.allowed
    assert problem.nearest is None


def test_duplicates_are_refused(read):
    versions = RNA.set_axis(["ENSG01.1", "ENSG01.2", "G3", "G4", "G5"], axis=1)
    about = ABOUT["modalities"][0]
    about["features"], before = ["ENSG01", "G2", "G3", "G4", "G5"], about["features"]
    try:
        found = problems(read, rna=versions, changes={"missing_share": 0.5})
    finally:
        about["features"] = before
    assert "'ENSG01.1', 'ENSG01.2', which all mean one" in found[0].found
    twice = pd.concat([RNA, RNA.iloc[:1]])
    assert "more than once: 's1'" in problems(read, rna=twice)[0].found


def test_all_problems_of_all_files_come_at_once(read):
    found = problems(read, rna=RNA.rename(columns={"G1": "x"}) * np.nan, beta=BETA * 3, other=RNA)
    text = "\n".join(map(str, found))
    assert "predict.new.modalities.other" in text
    assert "a modality that the model does not know" in text
    assert "outside what methylation-beta holds" in text


class TestLabels:
    LABELS = pd.DataFrame({"subtype": ["b", "a", ""], "site": ["x", "y", "x"]}, ["s2", "s1", "s9"])

    def test_they_set_the_order_and_samples_without_one_are_kept(self, read):
        found = read(samples=self.LABELS, changes={"group": "site"}, rna=RNA)
        assert found.samples.tolist() == ["s2", "s1", "s3"]
        assert found.labels.tolist() == ["b", "a", None]
        assert found.groups.tolist() == ["x", "y", None]
        told = "\n".join(found.remarks)
        assert "1 measured sample that the table of samples lacks: 's3'" in told
        assert "1 sample of the table without any measurement: 's9'" in told

    def test_a_class_that_the_model_does_not_have_is_refused(self, read):
        (problem,) = problems(read, samples=self.LABELS.replace("b", "B"), rna=RNA)
        assert problem.found == "'B' in 1 row"
        assert "'a', 'b'" in problem.allowed
        assert problem.nearest == "'b'"

    @pytest.mark.parametrize(
        ("sites", "said"),
        [
            (["x", "y", ""], []),  # s9 has no class: of it nothing is scored
            (["x", "", "x"], ["group 'site': empty in 1 of 2 rows with a class"]),
            (["", "", "x"], ["group 'site': empty in all of 2 rows with a class"]),
        ],
    )
    def test_a_class_without_a_group_is_told_of(self, read, sites, said):
        samples = self.LABELS.assign(site=sites)
        found = read(samples=samples, changes={"group": "site"}, rna=RNA)
        told = [remark for remark in found.remarks if "group" in remark]
        assert len(told) == len(said)
        assert all(text in remark for text, remark in zip(said, told, strict=True))
        assert not any("group" in remark for remark in read(samples=samples, rna=RNA).remarks)

    def test_a_column_that_is_not_there_is_refused(self, read):
        (problem,) = problems(
            read, samples=self.LABELS.rename(columns={"subtype": "Subtyp"}), rna=RNA
        )
        assert (problem.where, problem.nearest) == ("predict.new.label", "'Subtyp'")

    def test_a_table_of_other_samples_is_refused(self, read):
        other = self.LABELS.set_axis(["x2", "x1", "x9"], axis=0)
        (problem,) = problems(read, samples=other, rna=RNA)
        assert problem.found == (
            "no sample that was measured: here 'x2', 'x1', 'x9', there 's1', 's2', 's3'"
        )

    def test_that_no_sample_has_a_class_is_told(self, read):
        found = read(samples=self.LABELS.assign(subtype=["", "", "a"]), rna=RNA)
        assert found.labels.tolist() == [None, None, None]
        assert any("no class of any sample that was measured" in each for each in found.remarks)
        found = read(samples=self.LABELS, rna=RNA)
        assert not any("no class of any" in each for each in found.remarks)
