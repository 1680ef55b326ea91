from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from data_source import Source

from balmi.config.settings import Control, Evaluation
from balmi.data.assemble import assemble_cohort
from balmi.data.checks import check_datasets
from balmi.data.cohort import read_cohort, write_cohort
from balmi.data.controls import CHANGES, apply_control
from balmi.errors import UserError


@pytest.fixture
def cohort(make_cohort):
    """Return a cohort whose second modality lacks the samples 4 to 9."""
    made = make_cohort(np.repeat([0, 1], [30, 20]), {"rna": 4, "mirna": 3, "cnv": 2}, kind="cnv")
    values = {**made.tables, "mirna": made.tables["mirna"].copy()}
    values["mirna"][4:10] = np.nan
    return replace(made, values=values)


def changed(cohort, **control):
    return apply_control(cohort, Control(**control))


def assert_equal(one, other, names):
    for name in names:
        np.testing.assert_array_equal(one.tables[name], other.tables[name])
        assert one.kinds[name] == other.kinds[name]
        assert one.features[name] == other.features[name]


def test_nothing_is_changed_unless_asked(cohort):
    found = changed(cohort)
    assert all(found.values[name] is each for name, each in cohort.values.items())
    assert found.labels is cohort.labels
    assert found.provenance == {"dataset": "made", "control": {}}


def test_noise_is_standard_normal_where_the_modality_is_available(cohort):
    found = changed(cohort, noise=["mirna"])
    assert_equal(found, cohort, ["rna", "cnv"])
    np.testing.assert_array_equal(found.available, cohort.available)
    assert found.kinds["mirna"] == "generic"
    assert found.features == cohort.features
    assert not np.isin(found.tables["mirna"][10:], cohort.tables["mirna"]).any()
    wide = replace(cohort, values={**cohort.tables, "rna": np.full((50, 400), 7.0)})
    noise = changed(wide, noise=["rna"]).tables["rna"]
    assert noise.mean() == pytest.approx(0, abs=0.03)  # 20,000 cells: four standard errors
    assert noise.std() == pytest.approx(1, abs=0.02)


def test_rows_are_permuted_among_the_samples_that_have_the_modality(cohort):
    found = changed(cohort, shuffled=["mirna"])
    assert_equal(found, cohort, ["rna", "cnv"])
    np.testing.assert_array_equal(found.available, cohort.available)
    assert found.kinds == cohort.kinds
    before, after = (each.tables["mirna"][cohort.available[:, 1]] for each in (cohort, found))
    assert not np.array_equal(before, after)
    assert sorted(map(tuple, before)) == sorted(map(tuple, after))


def test_a_copy_comes_after_all_others(cohort):
    found = changed(cohort, duplicated=["rna"])
    assert found.modalities == ("rna", "mirna", "cnv", "rna-copy")
    np.testing.assert_array_equal(found.tables["rna-copy"], cohort.tables["rna"])
    assert found.kinds["rna-copy"] == cohort.kinds["rna"]
    assert found.features["rna-copy"] == cohort.features["rna"]
    assert_equal(found, cohort, cohort.modalities)


def test_labels_are_permuted_and_nothing_else(cohort):
    found = changed(cohort, shuffled_labels=True)
    assert_equal(found, cohort, cohort.modalities)
    assert np.bincount(found.labels).tolist() == [30, 20]
    assert not np.array_equal(found.labels, cohort.labels)


def test_a_change_depends_on_its_seed_and_name_alone(cohort):
    alone = changed(cohort, noise=["cnv"])
    both = changed(cohort, noise=["mirna", "cnv"], shuffled=["rna"], shuffled_labels=True)
    other = changed(cohort, noise=["cnv", "mirna"], shuffled=["rna"], shuffled_labels=True)
    np.testing.assert_array_equal(alone.tables["cnv"], both.tables["cnv"])
    assert_equal(both, other, cohort.modalities)
    np.testing.assert_array_equal(both.labels, other.labels)
    assert both.modalities == cohort.modalities
    for change in ({"noise": ["rna"]}, {"shuffled": ["rna"]}):
        first, second = (changed(cohort, seed=seed, **change).tables["rna"] for seed in (0, 1))
        assert not np.array_equal(first, second)
    assert not np.array_equal(
        changed(cohort, noise=["rna"]).tables["rna"][:, :2], alone.tables["cnv"]
    )


def test_every_change_names_modalities():
    assert set(CHANGES) | {"without", "shuffled_labels", "seed"} == set(Control.model_fields)


def with_control(source: Source, **control):
    return source.dataset().model_copy(update={"control": Control(**control)})


def test_a_modality_left_out_is_as_good_as_not_there(source):
    source.modalities["meth"] = source.modalities["meth"].drop(index="s03")
    source.modalities["rna"] = source.modalities["rna"].drop(index="s05")
    cohort = assemble_cohort("own", with_control(source, without=["rna"]), folds=3)
    assert cohort.modalities == ("meth",)
    assert "s03" not in cohort.samples
    assert cohort.provenance["dropped"]["labelled samples without any measurement"] == 1
    assert cohort.provenance["control"] == {"without": ["rna"]}
    source.modalities["rna"] = b"no table"
    again = assemble_cohort("own", with_control(source, without=["rna"]), folds=3)
    np.testing.assert_array_equal(again.tables["meth"], cohort.tables["meth"])


def test_what_is_left_out_is_not_counted_by_the_checks(source):
    """Without `meth` one class has too few samples left, which is said before any job."""
    lacking = source.samples.index[source.samples["subtype"] == "Her2"][2:]
    source.modalities["rna"] = source.modalities["rna"].drop(index=lacking)
    evaluation = Evaluation(folds=3)
    check_datasets({"own": with_control(source)}, evaluation)
    with pytest.raises(UserError, match="'Her2' has 2"):
        check_datasets({"own": with_control(source, without=["meth"])}, evaluation)


def test_a_controlled_cohort_survives_its_file(source, tmp_path):
    dataset = with_control(source, noise=["meth"], duplicated=["rna"], seed=3)
    cohort = assemble_cohort("own", dataset, folds=3)
    write_cohort(cohort, tmp_path / "cohort.h5mu")
    found = read_cohort(tmp_path / "cohort.h5mu")
    assert found.modalities == ("rna", "meth", "rna-copy")
    assert found.kinds["meth"] == "generic"
    assert found.provenance["control"] == {"noise": ["meth"], "duplicated": ["rna"], "seed": 3}
    expected = pd.DataFrame(cohort.tables["rna"])
    pd.testing.assert_frame_equal(pd.DataFrame(found.tables["rna-copy"]), expected)
