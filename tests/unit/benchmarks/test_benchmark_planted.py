"""Interactions planted into measurements: what is drawn, and what is counted."""

import numpy as np
import pandas as pd
import pytest

import access
import planted


@pytest.fixture(scope="module")
def real():
    return access.cohort_of("nothing", 400, 0)


def test_log_odds_by_hand():
    a, b = np.array([2.0, -1.0]), np.array([1.0, 1.0])
    np.testing.assert_allclose(planted.log_odds(a, b, "product", 1.0), [6.0, -3.0])
    np.testing.assert_allclose(planted.log_odds(a, b, "xor", 1.0), [3.0, -3.0])
    linear = 3 / np.sqrt(2) * np.array([3.0, 0.0])
    np.testing.assert_allclose(planted.log_odds(a, b, "xor", 0.0), linear)
    half = (linear + np.array([6.0, -3.0])) / 2
    np.testing.assert_allclose(planted.log_odds(a, b, "product", 0.5), half)


def test_factors_are_of_one_modality_each_and_hardly_alike(real):
    first, second = real.tables["first"], real.tables["second"]
    a, b = planted.factors(first, second)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.1
    # A principal component is a linear function of its modality.
    for factor, table in ((a, first), (b, second)):
        fitted = np.linalg.lstsq(np.c_[table, np.ones(len(table))], factor, rcond=None)[0]
        residual = factor - np.c_[table, np.ones(len(table))] @ fitted
        assert residual.var() < 0.1


@pytest.mark.parametrize("kind", planted.KINDS)
def test_labels_follow_the_interaction_alone(real, kind):
    cohort = planted.planted(real, kind, 1.0)
    again = planted.planted(real, kind, 1.0)
    np.testing.assert_array_equal(cohort.labels, again.labels)
    np.testing.assert_array_equal(cohort.tables["first"], real.tables["first"])
    features = planted.Features(cohort, planted.MAX_FEATURES)
    tables = features.apply(features.fit(np.arange(len(cohort.samples)))).features
    a, b = planted.factors(tables["first"], tables["second"])
    sign = 2 * cohort.labels - 1
    assert np.mean(sign * np.sign(a * b)) > 0.4
    assert abs(np.mean(sign * np.sign(a))) < 0.2
    assert abs(np.mean(sign * np.sign(b))) < 0.2


def test_only_samples_that_have_both_count(real):
    tables = real.tables
    tables["first"][:7] = np.nan
    cohort = planted.planted(planted.replace(real, values=tables), "product", 0.5)
    assert cohort.samples.tolist() == real.samples[7:].tolist()
    np.testing.assert_array_equal(cohort.tables["second"], real.tables["second"][7:])


def test_regret_is_that_of_the_best_expert():
    head = {"cohort": "a", "kind": "xor", "share": 1.0, "samples": 400}
    scores = {"pooled": (0.8, 0.5), "expert:svm": (0.7, 0.7), "expert:forest": (0.9, 0.4)}
    found = pd.DataFrame(
        [
            head | {"name": name, "metric": metric, "value": value}
            for name, values in scores.items()
            for metric, value in zip(planted.METRICS, values, strict=True)
        ]
    )
    table = planted.regrets(found).set_index("metric")
    assert table["best"].tolist() == ["forest"] * 2
    assert table["regret"].tolist() == pytest.approx([0.1, 0.1])
    text = planted.summary(found)
    assert "| a | 400 | xor | 100% | 0.800 | forest | 0.900 | +0.100 |" in text
    assert planted.figure(found).startswith("<svg ")
