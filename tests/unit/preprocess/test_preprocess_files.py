"""What preprocessing learned, written once and read by every job."""

from dataclasses import replace

import numpy as np
import pytest

from balmi.config.settings import Evaluation
from balmi.data.splits import as_splits, make_splits
from balmi.data.tensors import read_tensors
from balmi.errors import UserError
from balmi.preprocess import features as features_module
from balmi.preprocess.features import Features
from balmi.preprocess.files import read_features, write_preprocessing


@pytest.fixture
def cohort(make_cohort):
    made = make_cohort(np.arange(30) % 2, {"a": 6, "b": 5, "constant": 3})
    made.values["a"][3, 2] = np.nan
    made.values["b"][[4, 17, 20]] = np.nan
    made.values["constant"][:] = 1
    return made


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
            for part in ("kept", "medians", "means", "deviations"):
                np.testing.assert_array_equal(getattr(fitted, part), getattr(other[name], part))
        assert list(read.fit(split.fit, ("b",)).modalities) == ["b"]


def test_nothing_is_learned_again(cohort, splits, path, monkeypatch):
    """What other rows say is learned when it is asked for: it is not in the file."""
    asked = []
    monkeypatch.setattr(features_module, "fit_modality", lambda *call: asked.append(call))
    read = read_features(path, cohort, splits)
    for split in splits:
        read.fit(split.fit)
    assert not asked
    read.fit(splits[0].train)
    assert len(asked) == 3


def test_what_test_samples_hold_is_not_in_the_file(cohort, splits, path, tmp_path):
    """A fold learns from its training side alone; samples of other folds are in theirs."""
    one = splits[:1]
    values = cohort.values["a"].copy()
    values[one[0].test] *= 100
    other = replace(cohort, values=cohort.values | {"a": values})
    files = [tmp_path / "one.safetensors", tmp_path / "other.safetensors"]
    for seen, file in zip((cohort, other), files, strict=True):
        write_preprocessing(Features(seen, 4), one, seen, file)

    def same():
        (found, about), (expected, told) = map(read_tensors, files)
        arrays = all(np.array_equal(found[name], value) for name, value in expected.items())
        assert about.pop("cohort") != told.pop("cohort")
        return about == told and set(found) == set(expected) and arrays

    assert same()
    values[one[0].fit[0]] *= 100
    write_preprocessing(Features(other, 4), one, other, files[1])
    assert not same()


def test_other_folds_are_refused(cohort, splits, path):
    for other in (splits[1:], splits[::-1]):
        with pytest.raises(UserError, match=r"(?s)preprocessing\.safetensors.*other folds"):
            read_features(path, cohort, other)


@pytest.mark.parametrize(
    "what", ["kind", "feature", "fewer features", "modality", "values", "samples"]
)
def test_another_cohort_is_refused(cohort, splits, path, what):
    other = {
        "kind": replace(cohort, kinds=cohort.kinds | {"a": "rna_log"}),
        "feature": replace(
            cohort, features=cohort.features | {"a": tuple(f"other{i}" for i in range(6))}
        ),
        "fewer features": replace(
            cohort, features=cohort.features | {"a": cohort.features["a"][:2]}
        ),
        "modality": replace(
            cohort, **{name: {"b": getattr(cohort, name)["b"]} for name in ("values", "features")}
        ),
        "values": replace(
            cohort, values={name: 7 * table + 100 for name, table in cohort.values.items()}
        ),
        "samples": replace(cohort, samples=np.char.add(cohort.samples, "x")),
    }[what]
    with pytest.raises(UserError, match=r"(?s)preprocessing\.safetensors.*another cohort"):
        read_features(path, other, splits)


def test_a_damaged_file_is_refused(cohort, splits, path):
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"(?s)preprocessing\.safetensors.*damaged"):
        read_features(path, cohort, splits)
