"""What a configuration asks for in vain, said before any job."""

import pytest

from balmi.config.cautions import cautions
from balmi.config.load import load_settings

COHORT = {"datasets": {"simulated": None}}
RNA = {"path": "rna.csv", "kind": "rna-log"}


@pytest.mark.parametrize(
    ("evaluation", "dataset", "found"),
    [
        ({"repeats": 2, "folds": 3}, None, "2 repeats of 3 folds"),
        ({"repeats": 1}, None, "1 repeat of 5 folds"),
        ({"repeats": 2, "folds": 5}, None, None),
        ({}, None, None),
        ({"repeats": 1, "scheme": "leave-one-group-out"}, None, None),
        ({"repeats": 1}, "fold", None),
    ],
)
def test_what_can_never_be_judged_is_said_before_any_job(evaluation, dataset, found):
    own = {"samples": "labels.csv", "label": "subtype", "modalities": {"rna": RNA}}
    datasets = COHORT["datasets"] if dataset is None else {"own": own | {"folds": [dataset]}}
    settings = load_settings({"datasets": datasets, "evaluation": evaluation})
    few = [each for each in cautions(settings) if each.where == "evaluation.repeats"]
    assert [each.found for each in few] == ([] if found is None else [found])
    assert all("fewer than 10 test folds" in each.meaning for each in few)


@pytest.mark.parametrize(
    ("evaluation", "asked", "found"),
    [
        ({"repeats": 2}, 3, ["3, where evaluation.repeats is 2"]),
        ({"repeats": 2}, 2, []),
        ({}, 3, []),
        ({"repeats": 2, "scheme": "leave-one-group-out"}, 3, []),
    ],
)
def test_robustness_has_no_more_repeats_than_there_are(evaluation, asked, found):
    chosen = {"evaluation": evaluation, "robustness": {"repeats": asked}}
    more = cautions(load_settings(COHORT | chosen))
    assert [each.found for each in more if each.where == "robustness.repeats"] == found


@pytest.mark.parametrize(
    ("modalities", "without", "alone"),
    [
        (["rna"], [], ["rna alone"]),
        (["rna", "dna"], [], []),
        (["rna", "dna"], ["rna"], ["dna alone"]),
    ],
)
def test_with_one_modality_nothing_is_combined_and_this_is_said(modalities, without, alone):
    dataset = {
        "samples": "labels.csv",
        "label": "subtype",
        "modalities": dict.fromkeys(modalities, RNA),
        "control": {"without": without},
    }
    found = cautions(load_settings({"datasets": {"own": dataset, "simulated": None}}))
    assert [each.found for each in found] == alone
    assert all(each.where == "datasets.own.modalities" for each in found)
