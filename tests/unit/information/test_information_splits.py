"""What steers training and is told of a large cohort is estimated on an even draw."""

import logging
from dataclasses import replace

import numpy as np

from balmi.config.settings import Information
from balmi.data.splits import Split
from balmi.information import measure
from balmi.information import splits as splits_of_information
from balmi.information.splits import measure_splits
from balmi.information.study import canonical, study_of
from balmi.preprocess.features import Features

FEW = Information(permutations=19, fold_permutations=19, largest=200)


def split_of(count, test):
    fit = np.setdiff1d(np.arange(count), test)
    inner = np.arange(len(fit)) % 5
    return Split(0, 0, fit[inner > 0], fit[inner == 0], test, inner, tuple(range(5)))


def test_a_large_cohort_is_measured_on_the_draw_and_the_table_and_log_say_so(
    simulated, caplog, monkeypatch
):
    cohort, _ = simulated
    monkeypatch.setattr(measure, "SECTIONS", (measure._entropy,))
    monkeypatch.setattr(measure, "_coalitions", lambda _: [])
    assert len(cohort.samples) > FEW.largest
    with caplog.at_level("INFO", logger="balmi"):
        table = measure.measure_cohort(cohort, Features(cohort, 2000), FEW)
    assert f"on 200 of {len(cohort.samples)} samples" in caplog.text
    assert table["quantity"].tolist() == ["label_entropy"]
    assert table["n"].tolist() == [200]


def test_the_draw_does_not_depend_on_the_order_of_samples(simulated):
    cohort, _ = simulated
    order = np.random.default_rng(0).permutation(len(cohort.samples))
    shuffled = replace(
        cohort,
        samples=cohort.samples[order],
        labels=cohort.labels[order],
        groups=None if cohort.groups is None else cohort.groups[order],
        values={name: table[order] for name, table in cohort.tables.items()},
    )
    taken = []
    for each in (cohort, shuffled):
        ordered, features = canonical(each, Features(each, 50))
        study = study_of(ordered, features, np.arange(len(order)), FEW, 19)
        taken.append(ordered.samples[study.rows].tolist())
    assert taken[0] == taken[1]


def test_inside_training_parts_the_draw_sees_no_test_sample(simulated):
    cohort, _ = simulated
    count = len(cohort.samples)
    test = np.arange(0, count, 4)
    split = split_of(count, test)
    found = measure_splits(cohort, Features(cohort, 50), [split], FEW)
    rng = np.random.default_rng(0)
    tables = cohort.tables
    for name, table in tables.items():
        tables[name][test] = np.where(
            np.isnan(table[test]), np.nan, rng.normal(size=table[test].shape)
        )
    labels = cohort.labels.copy()
    labels[test] = rng.permutation(labels[test])
    altered = replace(cohort, values=tables, labels=labels)
    other = measure_splits(altered, Features(altered, 50), [split], FEW)
    np.testing.assert_array_equal(found.label, other.label)
    np.testing.assert_array_equal(found.margin, other.margin)


def test_steering_is_estimated_on_fewer_samples_than_the_cohort(make_cohort, monkeypatch, caplog):
    cohort = make_cohort(np.tile([0, 1], 200), {"rna": 3, "mirna": 3})
    monkeypatch.setattr(splits_of_information, "STEERING_SAMPLES", 100)
    caplog.set_level("INFO", logger="balmi")
    monkeypatch.setattr(logging.getLogger("balmi"), "propagate", True)
    measure_splits(cohort, Features(cohort, 50), [split_of(400, np.arange(80))], FEW)
    assert "estimated on 100 of 320 samples" in caplog.text
