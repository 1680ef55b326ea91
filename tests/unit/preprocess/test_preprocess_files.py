"""What preprocessing learned, written once and read by every job."""

from dataclasses import replace

import numpy as np
import pytest
from changed_cohorts import lacking, with_cells
from scipy.sparse import csr_array

from balmi.config.settings import Evaluation
from balmi.data.cohort import read_cohort, write_cohort
from balmi.data.measurements import Measurements
from balmi.data.splits import as_splits, make_splits
from balmi.data.tensors import read_tensors
from balmi.errors import UserError
from balmi.preprocess import features as features_module
from balmi.preprocess.features import Features
from balmi.preprocess.files import read_features, write_preprocessing


@pytest.fixture
def stored(tmp_path):
    """Return what reads back a cohort from a file."""

    def store(cohort):
        write_cohort(cohort, tmp_path / "stored.h5mu", tmp_path / "samples.json")
        return read_cohort(tmp_path / "stored.h5mu")

    return store


@pytest.fixture
def cohort(make_cohort, stored):
    sizes = {"a": 6, "b": 5, "constant": 3, "counts": 7, "peaks": 9}
    made = make_cohort(np.arange(30) % 2, sizes)
    made = lacking(with_cells(made, "a", (3, 2), np.nan), "b", [4, 17, 20])
    counts = Measurements(np.arange(5, 30), csr_array(np.eye(25, 7) + np.eye(25, 7, -3)))
    made = with_cells(made, "constant", slice(None), 1)
    fragments = np.random.default_rng(0).poisson(1, (27, 9)).astype(float)
    peaks = Measurements(np.arange(27), csr_array(fragments))
    values = {**made.values, "counts": counts, "peaks": peaks}
    return stored(replace(made, values=values, kinds={**made.kinds, "peaks": "atac"}))


@pytest.fixture
def splits(cohort):
    return as_splits(make_splits(cohort, Evaluation(repeats=2, folds=3)), cohort)


@pytest.fixture
def path(cohort, splits, tmp_path):
    path = tmp_path / "preprocessing.safetensors"
    write_preprocessing(Features(cohort, 4), splits, cohort, path)
    return path


def test_what_is_read_is_what_every_job_would_learn(cohort, splits, path):
    read, fresh = read_features(path, cohort, splits), Features(cohort, 4)
    assert read.max_features == 4
    for split in splits:
        one, other = (each.fit(split.fit).modalities for each in (read, fresh))
        assert list(one) == list(other)
        for name, fitted in one.items():
            names = read.names[name], fresh.names[name]
            kept, expected = (
                [n[i] for i in f.kept] for n, f in zip(names, (fitted, other[name]), strict=True)
            )
            assert kept == expected
            for part in ("medians", "means", "deviations"):
                np.testing.assert_array_equal(getattr(fitted, part), getattr(other[name], part))
        samples, learned = (each.apply(each.fit(split.fit)) for each in (read, fresh))
        np.testing.assert_array_equal(samples.available, learned.available)
        for name, values in samples.features.items():
            np.testing.assert_array_equal(values, learned.features[name])
        assert list(read.fit(split.fit, ("b",)).modalities) == ["b"]


def test_nothing_is_learned_again(cohort, splits, path, monkeypatch):
    """Other rows may have kept other features: they are not in the file."""
    asked = []
    monkeypatch.setattr(features_module, "fit_modality", lambda *call: asked.append(call))
    read = read_features(path, cohort, splits)
    for split in splits:
        read.fit(split.fit)
    assert not asked
    with pytest.raises(KeyError, match="chosen for other samples"):
        read.fit(splits[0].train)


def test_what_test_samples_hold_shapes_nothing_that_is_learned(cohort, splits, stored, tmp_path):
    """A fold learns from its training side alone; samples of other folds are in theirs."""
    one = splits[:1]
    values = cohort.tables["a"].copy()
    values[one[0].test] *= 100
    other = stored(replace(cohort, values=cohort.values | {"a": values}))
    files = [tmp_path / "one.safetensors", tmp_path / "other.safetensors"]
    for seen, file in zip((cohort, other), files, strict=True):
        write_preprocessing(Features(seen, 4), one, seen, file)

    def same():
        (found, about), (expected, told) = map(read_tensors, files)
        learned = {name: value for name, value in expected.items() if name.startswith("0/")}
        arrays = all(np.array_equal(found[name], value) for name, value in learned.items())
        assert about.pop("cohort") != told.pop("cohort")
        return about == told and set(found) == set(expected) and arrays

    assert same()
    values[one[0].fit[0]] *= 100
    other = stored(replace(cohort, values=cohort.values | {"a": values}))
    write_preprocessing(Features(other, 4), one, other, files[1])
    assert not same()


def test_other_folds_are_refused(cohort, splits, path):
    for other in (splits[1:], splits[::-1]):
        with pytest.raises(UserError, match=r"(?s)preprocessing\.safetensors.*other folds"):
            read_features(path, cohort, other)


@pytest.mark.parametrize(
    "what", ["kind", "feature", "fewer features", "modality", "values", "samples"]
)
def test_another_cohort_is_refused(cohort, splits, stored, path, what):
    other = {
        "kind": replace(cohort, kinds=cohort.kinds | {"a": "rna_log"}),
        "feature": replace(
            cohort, features=cohort.features | {"a": tuple(f"other{i}" for i in range(6))}
        ),
        "fewer features": replace(
            cohort,
            features=cohort.features | {"a": cohort.features["a"][:2]},
            values=cohort.values | {"a": cohort.values["a"].columns(np.arange(2))},
        ),
        "modality": replace(
            cohort, **{name: {"a": getattr(cohort, name)["a"]} for name in ("values", "features")}
        ),
        "values": replace(
            cohort, values={name: 7 * table + 100 for name, table in cohort.tables.items()}
        ),
        "samples": replace(cohort, samples=np.char.add(cohort.samples, "x")),
    }[what]
    with pytest.raises(UserError, match=r"(?s)preprocessing\.safetensors.*another cohort"):
        read_features(path, stored(other), splits)


def test_a_damaged_file_is_refused(cohort, splits, path):
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"(?s)preprocessing\.safetensors.*damaged"):
        read_features(path, cohort, splits)
