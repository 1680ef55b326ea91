"""Names of features that are the same, that mean the same, and that may mean several."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from balmi.data.feature_names import Forms, match

GENES = ("TP53|7157", "ENSG00000141510", "brca1", "?|100130426", "NM_000546.5")


def test_the_same_names_are_matched_in_any_order_and_extra_ones_are_left_out():
    found = match(["c", "x", "a", "b"], ["a", "b", "c"])
    assert found.places.tolist() == [2, 3, 0]
    assert (found.alike, found.doubtful, found.rivals) == ((), (), ())


@pytest.mark.parametrize(
    ("column", "place"),
    [
        ("TP53", 0),
        ("7157", 0),
        ("tp53|7157", 0),
        ("ENSG00000141510.12", 1),
        ("ensg00000141510.3", 1),
        ("BRCA1", 2),
        ("100130426", 3),
        ("NM_000546.6", 4),
        ("NM_000546", 4),
    ],
)
def test_a_name_of_another_form_is_matched_and_told(column, place):
    found = match([column, "other"], GENES)
    assert np.flatnonzero(found.places >= 0).tolist() == [place]
    assert found.alike == ((column, GENES[place]),)
    assert repr(column) in found.remarks[0][1]


@pytest.mark.parametrize("column", ["TP53.1", "ENSG0000014151", "BRCA", "?", "NA", ""])
def test_other_names_are_not_matched(column):
    assert (match([column], GENES).places < 0).all()


def test_a_name_that_may_be_two_features_is_left_out_and_told():
    found = match(["MIR1"], ["MIR1|100", "MIR1|200"])
    assert (found.places < 0).all()
    assert found.doubtful == ("MIR1",)
    assert "one of several" in found.remarks[0][0]


@pytest.mark.parametrize(
    ("column", "feature"),
    [
        ("AKT1 AKT2|Akt_pT308", "AKT1 AKT2|Akt_pS473"),
        ("SLC35E2|728661", "SLC35E2|9906"),
        ("chr1|100|200", "chr2|100|300"),
        ("hsa-mir-21", "hsa-miR-21"),
    ],
)
def test_a_part_in_common_makes_no_feature_the_same(column, feature):
    assert (match([column], [feature]).places < 0).all()


def test_all_parts_in_common_do():
    assert match(["akt1|AKT_PT308"], ["AKT1|Akt_pT308"]).places.tolist() == [0]


def test_micro_rna_in_capitals_may_be_either():
    assert match(["HSA-MIR-21"], ["hsa-miR-21"]).places.tolist() == [0]
    found = match(["HSA-MIR-21"], ["hsa-miR-21", "hsa-mir-21"])
    assert found.doubtful == ("HSA-MIR-21",)


def test_two_names_for_one_feature_are_rivals():
    found = match(["ENSG00000141510.1", "ENSG00000141510.2"], ["ENSG00000141510"])
    assert found.rivals == (("ENSG00000141510.1", "ENSG00000141510.2"),)
    assert (found.places < 0).all()


def test_the_exact_name_wins_over_one_of_another_form():
    found = match(["tp53", "TP53"], ["TP53"])
    assert found.places.tolist() == [1]
    assert found.rivals == ()


def test_a_form_of_a_feature_that_is_there_says_nothing_of_another():
    """The second TP53 is one of the first: a feature that the file lacks stays missing."""
    found = match(["TP53|7157", "tp53"], ["TP53|7157", "TP53|1"])
    assert found.places.tolist() == [0, -1]


@given(st.lists(st.text("aA1|.E", min_size=1, max_size=6), unique=True, max_size=12))
def test_no_column_is_taken_twice_and_exact_names_always_are(names):
    half = names[: len(names) // 2 + 1]
    found = match(names, half)
    assert found.places.tolist() == list(range(len(half)))
    other = match(half, names)
    taken = other.places[other.places >= 0].tolist()
    assert len(taken) == len(set(taken))


@given(st.text(max_size=12).filter(lambda name: "-MIR-" not in name.upper()))
def test_forms_do_not_depend_on_case(name):
    assert Forms.of(name.upper()) == Forms.of(name.upper().lower())
