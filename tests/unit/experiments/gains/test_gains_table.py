import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from balmi.evaluation.statistics import corrected_interval
from balmi.experiments.gains.table import complementarity_table, margins_of
from balmi.tables.contract import TABLES

OBSERVED = ["observed_gain", "observed_lower", "observed_upper"]


def margins(*rows):
    names = ["teacher", "student", "teacher_student", "student_label", "margin", "lower", "upper"]
    return pd.DataFrame(rows, columns=names)


def gains(**pairs):
    """Return gains: teacher_student -> macro-F1 with the teacher and alone, per fold."""
    rows = [
        (*pair.split("_"), fold // 2, fold % 2, taught, alone)
        for pair, scores in pairs.items()
        for fold, (taught, alone) in enumerate(scores)
    ]
    names = ["teacher", "student", "repeat", "fold", "macro_f1", "macro_f1_alone"]
    return pd.DataFrame(rows, columns=names)


MARGINS = margins(
    ("rna", "mirna", 0.5, 0.2, 0.3, 0.1, 0.5),
    ("mirna", "rna", 0.5, 0.7, -0.2, -0.3, -0.1),
)
SCORES = [(0.70, 0.60), (0.64, 0.62), (0.66, 0.62), (0.60, 0.60)]  # gains .10, .02, .04 and 0


def test_by_hand():
    table = complementarity_table(MARGINS, gains(rna_mirna=SCORES, mirna_rna=SCORES[:2]), 0.25)
    assert tuple(table) == TABLES["complementarity"].names
    pd.testing.assert_frame_equal(table[list(MARGINS)], MARGINS)
    assert table["predicted"].tolist() == ["gain", "no gain"]
    assert table["observed_gain"].tolist() == pytest.approx([0.04, 0.06])
    # (1/4 + 1/4) s^2 with s^2 = (.06^2 + .02^2 + 0 + .04^2) / 3, and t of 3 degrees of freedom
    half = 3.182446 * np.sqrt(0.5 * 0.0056 / 3)
    first = table.iloc[0]
    assert first["observed_lower"] == pytest.approx(0.04 - half, abs=1e-6)
    assert first["observed_upper"] == pytest.approx(0.04 + half, abs=1e-6)


def test_the_interval_grows_with_the_ratio():
    found = gains(rna_mirna=SCORES)
    widths = [
        np.ptp(complementarity_table(MARGINS, found, ratio).loc[0, OBSERVED[1:]])
        for ratio in (0.1, 1.0)
    ]
    assert widths[1] / widths[0] == pytest.approx(np.sqrt((0.25 + 1) / (0.25 + 0.1)))


def test_folds_without_a_value_are_left_out():
    found = gains(rna_mirna=[*SCORES, (np.nan, np.nan), (0.5, np.nan)])
    interval = corrected_interval(np.array([0.10, 0.02, 0.04, 0.0]), 0.25)
    row = complementarity_table(MARGINS, found, 0.25).loc[0, OBSERVED].tolist()
    assert row == pytest.approx([interval.mean, interval.lower, interval.upper])


@pytest.mark.parametrize(
    "found",
    [
        gains(),
        gains(rna_protein=SCORES),
        gains(rna_mirna=[(np.nan, np.nan)] * 4),
        gains(rna_mirna=[(0.6, 0.5), (np.nan, np.nan)]),
    ],
)
def test_where_fewer_than_two_folds_were_observed_the_columns_are_empty(found):
    table = complementarity_table(MARGINS, found, 0.25)
    assert table[OBSERVED].isna().all(axis=None)
    assert table["predicted"].tolist() == ["gain", "no gain"]


def test_a_cohort_without_margins_has_a_table_without_rows():
    table = complementarity_table(margins(), gains(rna_mirna=SCORES), 0.25)
    assert tuple(table) == TABLES["complementarity"].names
    assert len(table) == 0


def test_what_occurs_twice_is_refused():
    with pytest.raises(ValueError, match="more than one margin"):
        complementarity_table(pd.concat([MARGINS, MARGINS]), gains(), 0.25)
    twice = pd.concat([gains(rna_mirna=SCORES)] * 2)
    with pytest.raises(ValueError, match="more than one gain"):
        complementarity_table(MARGINS, twice, 0.25)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=8))
def test_swapping_the_scores_turns_the_gain_round(scores):
    one = complementarity_table(MARGINS, gains(rna_mirna=scores), 0.25).loc[0, OBSERVED]
    swapped = gains(rna_mirna=[(alone, taught) for taught, alone in scores])
    other = complementarity_table(MARGINS, swapped, 0.25).loc[0, OBSERVED]
    assert (-other).tolist() == pytest.approx([one.iloc[0], one.iloc[2], one.iloc[1]])


def test_margins_are_taken_out_of_the_table_of_information():
    """By hand, with a shared row whose modalities stand the other way round."""
    rows = [
        ("representation_information", "a", "b", 0.5, 0.4, 0.6, "ok"),
        ("student_information", "a", "b", -0.1, -0.2, 0.0, "ok"),
        ("complementarity_margin", "a", "b", 0.5, 0.3, 0.7, "ok"),
        ("student_information", "b", "a", 0.2, 0.1, 0.3, "ok"),
        ("complementarity_margin", "b", "a", 0.3, 0.2, 0.4, "ok"),
        ("complementarity_margin", "a", "c", np.nan, np.nan, np.nan, "not_applicable"),
    ]
    columns = ["quantity", "modality", "other", "estimate", "lower", "upper", "status"]
    found = margins_of(pd.DataFrame(rows, columns=columns))
    expected = {
        "teacher": ["a", "b"],
        "student": ["b", "a"],
        "teacher_student": [0.5, 0.5],
        "student_label": [-0.1, 0.2],
        "margin": [0.5, 0.3],
        "lower": [0.3, 0.2],
        "upper": [0.7, 0.4],
    }
    pd.testing.assert_frame_equal(found, pd.DataFrame(expected))
    assert margins_of(pd.DataFrame(rows[-1:], columns=columns)).empty
