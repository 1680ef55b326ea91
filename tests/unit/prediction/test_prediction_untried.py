import pandas as pd
import pytest

from balmi.prediction.untried import UNTRIED, Untried, flagged, untried, what_is_known

MODALITIES = ["rna", "protein", "cytof"]
LOST = {"value": 0.53, "lower": 0.4, "upper": 0.65}
LOST |= {"difference": -0.25, "difference_lower": -0.44, "difference_upper": -0.06}
EVALUATION = {
    "primary": "macro_f1",
    "patterns": [{"modalities": MODALITIES}, {"modalities": ["protein", "cytof"]}],
    "dropped": [
        {"modality": "protein", "metric": "macro_f1", **LOST},
        {"modality": "protein", "metric": "log_loss", **LOST},
        {"modality": "rna", "metric": "macro_f1", **LOST, "value": None},
    ],
}


def test_patterns_that_were_tested_are_no_matter():
    patterns = ["rna+protein+cytof", "protein+cytof", "protein+cytof"]
    assert untried(MODALITIES, patterns, EVALUATION) == []


def test_others_are_told_the_commonest_first():
    patterns = ["rna", "rna+cytof", "rna+cytof", "rna+protein+cytof", ""]
    assert untried(MODALITIES, patterns, EVALUATION) == [
        Untried(("rna", "cytof"), ("protein",), 2),
        Untried((), ("rna", "protein", "cytof"), 1),
        Untried(("rna",), ("protein", "cytof"), 1),
    ]


@pytest.mark.parametrize("evaluation", [{}, {"patterns": []}])
def test_of_a_model_that_was_not_tested_nothing_is_told(evaluation):
    assert untried(MODALITIES, ["rna"], evaluation) == []


def test_the_probe_says_what_is_to_be_expected():
    found, known = what_is_known(Untried(("rna", "cytof"), ("protein",), 71), EVALUATION)
    assert found == "71 samples lack protein, as no tested sample did"
    assert known == (
        "in the cross-validation, macro-F1 was 0.53 (0.40 to 0.65) with protein taken away, a"
        " change of −0.25 (−0.44 to −0.06)"
    )


def test_of_several_less_is_to_be_expected():
    found, known = what_is_known(Untried(("rna",), ("protein", "cytof"), 1), EVALUATION)
    assert found == "1 sample lacks protein and cytof, as no tested sample of those with rna did"
    assert known.endswith("; more is to be lost where more than one is lacking")


def test_without_a_probe_it_says_so():
    told = what_is_known(Untried(("protein",), ("rna",), 3), EVALUATION)
    assert told[1] == "how well they are predicted was not measured"


def test_rows_are_flagged():
    patterns = {"modalities": ["rna+cytof", "rna+protein+cytof", "rna+cytof"]}
    table = pd.DataFrame({**patterns, "flags": ["lacks protein", "", ""]})
    found = flagged(table, untried(MODALITIES, table["modalities"], EVALUATION))
    assert found["flags"].tolist() == [f"lacks protein; {UNTRIED}", "", UNTRIED]
