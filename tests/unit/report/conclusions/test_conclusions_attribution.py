"""What attribution shows: a lead is told where intervals are apart, and nowhere else."""

from __future__ import annotations

from itertools import product

from balmi.report.conclusions.attribution import leading, steady
from balmi.report.kit.amounts import Amount
from balmi.report.sections.attribution.view import ModalityShare

APART, ALIKE, OPEN = (0.6, 0.8), (0.3, 0.9), (None, None)


def share(label, modality, estimate, limits, stability=0.5, overlap=None):
    return ModalityShare(label, modality, Amount(estimate, *limits), stability, overlap)


def test_only_who_is_apart_leads():
    for first, second in product((APART, ALIKE, OPEN), repeat=2):
        rows = []
        for label, limits in (("a", first), ("b", second)):
            rest = (0.2, 0.4) if limits[0] is not None else OPEN
            rows += [share(label, "rna", 0.7, limits), share(label, "mirna", 0.3, rest)]
        told = leading(rows)
        leads = [label for label, limits in (("a", first), ("b", second)) if limits is APART]
        if len(leads) == 2:
            assert told == "The largest share, apart from all others': rna in every class."
        elif leads:
            assert told == f"The largest share, apart from all others': rna in {leads[0]}."
        else:
            assert told == "In no class does one modality's share stand apart from the others'."


def test_of_one_modality_there_is_no_lead():
    assert leading([share("a", "rna", 1.0, APART)]) == ""
    assert leading([]) == ""


def test_steadiness_is_a_range():
    rows = [share("a", "rna", 0.7, APART, 0.5, 0.25), share("b", "rna", 0.7, APART, 0.75, 0.5)]
    assert steady(rows).startswith("Between folds importances correlate with 0.50 to 0.75")
    assert steady([share("a", "rna", 0.7, APART, None, None)]) == ""
