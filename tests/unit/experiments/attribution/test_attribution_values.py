"""What samples hold of the foremost features: which, of whom, and on which scale."""

import numpy as np
import pandas as pd

from balmi.data.cohort import Cohort
from balmi.experiments.attribution.values import (
    MOST_FEATURES,
    MOST_SAMPLES,
    drawn,
    foremost,
    value_table,
)
from balmi.preprocess.features import Features
from balmi.tables.contract import TABLES

COLUMNS = ["class", "modality", "feature", "importance"]


def attributed(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


def test_features_come_by_the_class_for_which_they_matter_most():
    table = attributed(
        ("a", "rna", "x", 0.2),
        ("a", "rna", "y", 0.3),
        ("a", "mirna", "x", 0.0),
        ("b", "rna", "x", 0.9),
        ("b", "rna", "z", 0.1),
    )
    assert foremost(table) == [("rna", "y"), ("rna", "x"), ("rna", "z")]
    many = attributed(*(("a", "rna", f"f{place}", 1 + place) for place in range(40)))
    chosen = foremost(many)
    assert len(chosen) == MOST_FEATURES
    assert chosen[0] == ("rna", "f39")


def test_of_many_samples_always_the_same_are_drawn():
    few = np.array([f"s{place}" for place in range(MOST_SAMPLES)])
    assert drawn(few).tolist() == list(range(MOST_SAMPLES))
    many = np.array([f"s{place}" for place in range(700)])
    rows = drawn(many)
    assert len(rows) == MOST_SAMPLES
    assert (np.diff(rows) > 0).all()
    backwards = drawn(many[::-1])
    assert set(many[rows]) == set(many[::-1][backwards])


def test_values_are_standardised_over_those_who_have_them():
    rna = np.array([[1.0, 5.0], [3.0, 5.0], [np.nan, np.nan], [np.nan, 5.0]])
    cohort = Cohort(
        samples=np.array(["p", "q", "r", "s"]),
        labels=np.array([0, 1, 0, 1]),
        classes=("a", "b"),
        groups=None,
        values={"rna": rna},
        features={"rna": ("x", "flat")},
        kinds={"rna": "generic"},
        provenance={},
    )
    table = attributed(("a", "rna", "x", 0.2), ("b", "rna", "flat", 0.1))
    found = value_table(table, cohort, Features(cohort, 10))
    TABLES["attribution_values"].check(found)
    assert found["sample"].tolist() == ["p", "q", "r", "s"]
    # Of 1 and 3 the mean is 2 and the deviation 1.
    np.testing.assert_array_equal(found["value:rna:x"], [-1, 1, np.nan, np.nan])
    np.testing.assert_array_equal(found["value:rna:flat"], [0, 0, np.nan, 0])
    assert value_table(table[:0], cohort, Features(cohort, 10)).empty
