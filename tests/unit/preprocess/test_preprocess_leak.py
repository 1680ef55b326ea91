"""A cohort of noise must score at chance, and a pipeline that peeks at test rows must not.

All features are noise but one. That one carries the class in every sample, but with so little
variance in training rows that the selection by variance drops it; in test rows its variance is
large. A selection that sees test rows keeps it, and the class is plain to see.
"""

from dataclasses import replace

import numpy as np
import pytest

from balmi.config.settings import Evaluation, Method
from balmi.data.files import write_table
from balmi.data.splits import make_splits, read_splits
from balmi.methods.peers.run import fit_baseline
from balmi.preprocess.features import Features

SAMPLES, NOISE, KEPT = 120, 300, 8
QUIET, LOUD = 0.7, 6.0
# 6 training parts of 120 samples: the standard error of chance accuracy is 0.046 for independent
# samples, and no larger for samples that are tested twice.
TOLERANCE = 0.15


class Peeking(Features):
    """Features that are selected and scaled by what all rows say, test rows included."""

    def fit(self, rows, modalities=None):
        return super().fit(np.arange(len(self.available)), modalities)


@pytest.fixture
def noise(make_cohort):
    labels = np.random.default_rng(0).permutation(np.arange(SAMPLES) % 2)
    return make_cohort(labels, {"noise": NOISE, "leaky": NOISE}, seed=1)


def planted(cohort, split):
    """Plant the feature for one split."""
    values = cohort.tables["leaky"].copy()
    sign = 2.0 * cohort.labels - 1
    values[:, 0] = QUIET * sign
    values[split.test, 0] = LOUD * sign[split.test]
    return replace(cohort, values={**cohort.tables, "leaky": values})


def accuracy(cohort, folder, features_class, plant):
    """Return the share of test samples that concatenated logistic regression gets right."""
    write_table(make_splits(cohort, Evaluation(repeats=2, folds=3)), folder / "splits.parquet")
    right = []
    for split in read_splits(folder / "splits.parquet", cohort):
        seen = plant(cohort, split)
        result = fit_baseline(Method.CONCAT_LR, seen, features_class(seen, KEPT), [split])
        predicted = result.predictions[["p:a", "p:b"]].to_numpy().argmax(axis=1)
        right += (predicted == cohort.labels[split.test]).tolist()
    assert len(right) == 2 * SAMPLES
    return np.mean(right)


def test_the_pipeline_scores_at_chance(noise, tmp_path):
    assert abs(accuracy(noise, tmp_path, Features, planted) - 0.5) < TOLERANCE


def test_a_pipeline_that_peeks_is_found_out(noise, tmp_path):
    assert accuracy(noise, tmp_path, Peeking, planted) > 0.5 + 2 * TOLERANCE


def test_noise_alone_scores_at_chance_however_much_there_is(noise, tmp_path):
    found = accuracy(noise, tmp_path, Features, lambda cohort, _: cohort)
    assert abs(found - 0.5) < TOLERANCE


def test_the_planted_feature_would_be_found_if_it_were_kept(noise, tmp_path):
    """The chance score above is the selection's doing, not a feature that is too faint."""

    class Keeping(Features):
        def __init__(self, cohort, _):
            super().__init__(cohort, NOISE)

    alone = replace(
        noise,
        values={"leaky": noise.tables["leaky"][:, :5]},
        features={"leaky": noise.features["leaky"][:5]},
        kinds={"leaky": "generic"},
    )
    assert accuracy(alone, tmp_path, Keeping, planted) > 0.95


@pytest.mark.parametrize("method", [Method.CONCAT_LR, Method.STACKED_LR, Method.LATE_FUSION])
def test_labels_of_test_samples_are_not_read(noise, tmp_path, method):
    write_table(make_splits(noise, Evaluation(repeats=1, folds=3)), tmp_path / "splits.parquet")
    split = read_splits(tmp_path / "splits.parquet", noise)[0]
    features = Features(noise, KEPT)
    labels = noise.labels.copy()
    labels[split.test] = 1 - labels[split.test]
    one = fit_baseline(method, noise, features, [split]).predictions
    other = fit_baseline(method, replace(noise, labels=labels), features, [split]).predictions
    np.testing.assert_array_equal(one[["p:a", "p:b"]], other[["p:a", "p:b"]])
