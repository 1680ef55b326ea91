import os
from dataclasses import replace

import numpy as np
import pytest
from changed_cohorts import lacking, with_cells
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, issparse

from balmi.data.assemble import assemble_cohort
from balmi.data.cohort import INPUTS, Cohort, read_cohort, read_roster, write_cohort
from balmi.data.measurements import Measurements
from balmi.data.readers import read_measurements, read_samples


def assert_equal(found: Cohort, expected: Cohort) -> None:
    for name in ("classes", "features", "kinds", "provenance", "modalities"):
        assert getattr(found, name) == getattr(expected, name), name
    for name in ("samples", "labels", "available"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), name)
    assert (found.groups is None) == (expected.groups is None)
    if expected.groups is not None:
        np.testing.assert_array_equal(found.groups, expected.groups)
    assert (found.folds is None) == (expected.folds is None)
    if expected.folds is not None:
        np.testing.assert_array_equal(found.folds, expected.folds)
    for name, values in expected.tables.items():
        np.testing.assert_array_equal(found.tables[name], values.astype(np.float32), name)


@pytest.fixture
def cohort(make_cohort):
    return make_cohort(np.array([0, 1, 2, 0, 1, 2, 1, 1]))


def test_a_cohort_is_read_as_it_was_written(tmp_path, cohort):
    write_cohort(cohort, tmp_path / "c.h5mu")
    found = read_cohort(tmp_path / "c.h5mu")
    assert_equal(found, cohort)
    assert found.labels.dtype == np.int64
    assert all(values.dtype == np.float32 for values in found.tables.values())


def test_groups(tmp_path, cohort):
    groups = np.array(["p1", "p1", "007", "7", "p 2", "é", "NA", "nan"])
    cohort = replace(cohort, groups=groups)
    write_cohort(cohort, tmp_path / "c.h5mu")
    assert_equal(read_cohort(tmp_path / "c.h5mu"), cohort)


def test_samples_that_lack_modalities(tmp_path, cohort):
    cohort = lacking(lacking(cohort, "rna", [0, 3, 7]), "mirna", [1, 2])
    write_cohort(cohort, tmp_path / "c.h5mu")
    found = read_cohort(tmp_path / "c.h5mu")
    assert_equal(found, cohort)
    assert found.available.tolist()[:4] == [
        [False, True], [True, False], [True, False], [False, True]
    ]  # fmt: skip
    assert found.available.dtype == bool


def test_samples_of_the_second_modality_alone_come_first(tmp_path, cohort):
    """MuData orders samples by modality, not by name."""
    cohort = lacking(cohort, "rna", slice(5))
    cohort = replace(cohort, groups=np.array([f"g{i}" for i in range(8)]))
    write_cohort(cohort, tmp_path / "c.h5mu")
    assert_equal(read_cohort(tmp_path / "c.h5mu"), cohort)


def test_empty_cells_are_kept_and_are_no_absence(tmp_path, cohort):
    cohort = with_cells(cohort, "rna", (2, slice(1, None)), np.nan)
    assert cohort.available.all()
    write_cohort(cohort, tmp_path / "c.h5mu")
    assert_equal(read_cohort(tmp_path / "c.h5mu"), cohort)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_any_number_of_modalities(tmp_path, make_cohort, count):
    cohort = make_cohort(np.array([0, 1, 0, 1]), {f"m{i}": i + 1 for i in range(count)})
    write_cohort(cohort, tmp_path / "c.h5mu")
    found = read_cohort(tmp_path / "c.h5mu")
    assert_equal(found, cohort)
    assert found.available.shape == (4, count)


def test_modalities_keep_the_configured_order(tmp_path, make_cohort):
    cohort = make_cohort(np.array([0, 1, 0, 1]), {"z": 2, "a": 2, "m": 1})
    write_cohort(cohort, tmp_path / "c.h5mu")
    assert read_cohort(tmp_path / "c.h5mu").modalities == ("z", "a", "m")


def test_one_gene_in_two_modalities(tmp_path, make_cohort):
    cohort = make_cohort(np.array([0, 1, 0, 1]), {"rna": 2, "cnv": 2})
    cohort = replace(cohort, features=dict.fromkeys(("rna", "cnv"), ("TP53", "BRCA1")))
    write_cohort(cohort, tmp_path / "c.h5mu")
    assert_equal(read_cohort(tmp_path / "c.h5mu"), cohort)


HOSTILE = [
    "</script><script>alert(1)</script>", '"><img src=x>', "=1+1", "Ünï ✓", "a/b/c", "../x", " a ",
    "NA", "nan", "long " * 60, "001", "0", "True", "a\nb", "-", "%s{x}", "\\", "'",
]  # fmt: skip


def test_hostile_names(tmp_path, make_cohort):
    count = len(HOSTILE)
    cohort = make_cohort(np.arange(count) % 8, {"rna": count, "rna.2_-": 2})
    names = np.array(sorted(HOSTILE))
    cohort = replace(
        cohort,
        samples=names,
        classes=tuple(names[:8].tolist()),
        groups=names[::-1],
        features={"rna": tuple(HOSTILE), "rna.2_-": tuple(HOSTILE[:2])},
        provenance={"dataset": HOSTILE[0], "dropped": {HOSTILE[1]: 3}},
    )
    write_cohort(cohort, tmp_path / "c.h5mu")
    assert_equal(read_cohort(tmp_path / "c.h5mu"), cohort)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.data())
def test_any_availability_survives(tmp_path, data):
    count = data.draw(st.integers(2, 7))
    row = st.lists(st.booleans(), min_size=3, max_size=3).filter(any)
    available = np.array(data.draw(st.lists(row, min_size=count, max_size=count)))
    available[data.draw(st.integers(0, count - 1))] = True  # no modality is empty
    values = {}
    for column, name in enumerate("xyz"):
        values[name] = np.arange(count * 2.0).reshape(count, 2) + column
        values[name][~available[:, column]] = np.nan
    cohort = Cohort(
        samples=np.array([f"s{i}" for i in range(count)]),
        labels=np.arange(count) % 2,
        classes=("a", "b"),
        groups=np.array([f"g{i // 2}" for i in range(count)]),
        values=values,
        features=dict.fromkeys("xyz", ("f", "g")),
        kinds=dict.fromkeys("xyz", "generic"),
        provenance={},
    )
    np.testing.assert_array_equal(cohort.available, available)
    write_cohort(cohort, tmp_path / "c.h5mu")
    assert_equal(read_cohort(tmp_path / "c.h5mu"), cohort)


def test_a_failed_write_keeps_the_old_file(tmp_path, cohort, monkeypatch):
    path = tmp_path / "c.h5mu"
    write_cohort(cohort, path)
    before = path.read_bytes()

    def fail(self, file, *arguments, **settings):
        file.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr("mudata.MuData.write_h5mu", fail)
    with pytest.raises(OSError, match="disk full"):
        write_cohort(cohort, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["c.h5mu"]


def test_positions(cohort):
    assert cohort.positions(["s0003", "s0000"]).tolist() == [3, 0]
    with pytest.raises(KeyError, match="not in the cohort"):
        cohort.positions(["s0003", "x"])


def test_a_written_cohort_can_be_a_users_table(tmp_path, cohort):
    cohort = replace(cohort, groups=np.array([f"p{i // 2}" for i in range(8)]))
    write_cohort(cohort, tmp_path / "c.h5mu")
    samples = read_samples(tmp_path / "c.h5mu")
    assert samples["group"].tolist() == cohort.groups.tolist()
    table = read_measurements(tmp_path / "c.h5mu", "mirna")
    assert list(table.columns) == list(cohort.features["mirna"])


# Assembly


def test_assembly_joins_outer_and_sorts(source):
    source.modalities["rna"] = source.modalities["rna"].drop(index=["s03"]).iloc[::-1]
    source.modalities["meth"] = source.modalities["meth"].drop(index=["s04"])
    source.samples.loc["s05", "subtype"] = None
    source.group = "patient"
    cohort = assemble_cohort("own", source.dataset(), folds=3)
    expected = sorted(set(source.samples.index) - {"s05"})
    assert cohort.samples.tolist() == expected
    assert cohort.classes == ("Her2", "LumA", "LumB")
    names = np.array(cohort.classes)[cohort.labels]
    assert names.tolist() == source.samples.loc[expected, "subtype"].tolist()
    assert cohort.groups.tolist() == source.samples.loc[expected, "patient"].tolist()
    assert cohort.modalities == ("rna", "meth")
    assert cohort.kinds == source.kinds
    assert cohort.features["meth"] == ("c1", "c2")
    rows = {name: cohort.available[cohort.positions([name])[0]].tolist() for name in expected[:5]}
    assert rows["s03"] == [False, True]
    assert rows["s04"] == [True, False]
    assert rows["s02"] == [True, True]
    for name, table in source.modalities.items():
        np.testing.assert_allclose(cohort.tables[name], table.reindex(expected).to_numpy())
    told = {key: value for key, value in cohort.provenance.items() if key != INPUTS}
    assert told == {
        "dataset": "own",
        "label": "subtype",
        "group": "patient",
        "folds": [],
        "dropped": {
            "samples without a label": 1,
            "labelled samples without any measurement": 0,
            "measured samples that the table of samples lacks": 0,
        },
        "warnings": [
            "datasets.own.samples: samples.csv: 1 sample without a label: 's05'; left out"
        ],
        "control": {},
    }


def test_assembly_then_write_then_read(source, tmp_path):
    source.modalities["rna"] = source.modalities["rna"].drop(index=["s00", "s03"])
    cohort = assemble_cohort("own", source.dataset(), folds=3)
    write_cohort(cohort, tmp_path / "c.h5mu")
    assert_equal(read_cohort(tmp_path / "c.h5mu"), cohort)


def test_assembly_does_not_depend_on_the_files_order(source):
    one = assemble_cohort("own", source.dataset(), folds=3)
    source.samples = source.samples.sample(frac=1, random_state=3)
    for name, table in source.modalities.items():
        source.modalities[name] = table.sample(frac=1, random_state=len(name))
    other = assemble_cohort("own", source.dataset(), folds=3)
    np.testing.assert_array_equal(one.samples, other.samples)
    np.testing.assert_array_equal(one.labels, other.labels)
    for name, values in one.tables.items():
        np.testing.assert_array_equal(other.tables[name], values)


def test_little_variance_beside_a_large_mean_survives_the_file(make_cohort, tmp_path):
    cohort = make_cohort(np.arange(12) % 2, {"rna": 3, "other": 2})
    fine = 1e6 + 0.01 * cohort.tables["rna"]
    values = {"rna": fine, "other": cohort.tables["other"]}
    write_cohort(replace(cohort, values=values), tmp_path / "cohort.h5mu")
    back = read_cohort(tmp_path / "cohort.h5mu")
    np.testing.assert_array_equal(back.tables["rna"], fine)
    np.testing.assert_array_equal(back.tables["other"], values["other"].astype(np.float32))


def test_a_roster_is_all_of_a_cohort_but_its_measurements(tmp_path, cohort):
    cohort = lacking(cohort, "rna", [0, 3])
    cohort = replace(
        cohort,
        groups=np.array([f"g{i % 3}" for i in range(len(cohort.labels))]),
        folds=np.array([["x", "y"] * (len(cohort.labels) // 2)]),
        provenance={"dataset": "made", "warnings": ["one"]},
    )
    write_cohort(cohort, tmp_path / "c.h5mu", tmp_path / "samples.json")
    roster, whole = read_roster(tmp_path / "samples.json"), read_cohort(tmp_path / "c.h5mu")
    for name in ("samples", "labels", "groups", "folds", "available"):
        np.testing.assert_array_equal(getattr(roster, name), getattr(whole, name))
        assert getattr(roster, name).dtype == getattr(whole, name).dtype
    for name in ("classes", "kinds", "provenance", "sizes", "modalities", "checksum"):
        assert getattr(roster, name) == getattr(whole, name)
    assert len(roster.checksum) == 64
    assert replace(whole, labels=whole.labels[::-1]).checksum is None


def test_without_groups_and_folds_a_roster_has_none(tmp_path, cohort):
    write_cohort(cohort, tmp_path / "c.h5mu", tmp_path / "samples.json")
    roster = read_roster(tmp_path / "samples.json")
    assert roster.groups is None
    assert roster.folds is None
    assert roster.available.all()


def test_what_is_sparse_stays_sparse(tmp_path, cohort):
    counts = csr_array(np.random.default_rng(0).poisson(0.5, (6, 4)).astype(np.float32))
    rows = np.array([0, 1, 2, 5, 6, 7])
    values = {**cohort.values, "rna": Measurements(rows, counts)}
    features = cohort.features | {"rna": tuple("abcd")}
    sparse = replace(cohort, values=values, features=features)
    write_cohort(sparse, tmp_path / "c.h5mu")
    found = read_cohort(tmp_path / "c.h5mu")
    assert issparse(found.values["rna"].values)
    assert found.values["rna"].rows.tolist() == rows.tolist()
    assert_equal(found, sparse)
