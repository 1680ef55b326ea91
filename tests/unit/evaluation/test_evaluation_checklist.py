"""The trust checklist: every state of every check, and what withholds the verdict."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from balmi.config.settings import Evaluation, Scheme
from balmi.data.splits import as_splits, make_splits
from balmi.evaluation.absence import absence_table
from balmi.evaluation.checklist import CHECKS, Evidence, trust_table
from balmi.evaluation.gap import Gap
from balmi.evaluation.trust import LABEL_SOURCE, State, withheld
from balmi.preprocess.features import Features

CONTROL_COLUMNS = ["control", "method", "metric", "value", "lower", "upper", "lower99", "folds"]
INFORMATION_COLUMNS = ["quantity", "modality", "other", "estimate", "lower", "upper", "p_value"]


def controls(*rows):
    """Return a table of controls: (control, method, lower, lower99) each."""
    table = [
        (control, method, "macro_auroc", 0.52, lower, 0.6, lower99, 10)
        for control, method, lower, lower99 in rows
    ]
    return pd.DataFrame(table, columns=CONTROL_COLUMNS)


def information(difference=(0.1, 0.3), p_values=(0.01, 0.01)):
    rows = [
        ("label_information", "rna", None, 0.6, 0.5, 0.7, p_values[0]),
        ("label_information", "mirna", None, 0.4, 0.3, 0.5, p_values[1]),
        ("label_difference", "rna", "mirna", 0.2, *difference, None),
    ]
    return pd.DataFrame(rows, columns=INFORMATION_COLUMNS).assign(status="ok")


def predictions_of(cohort, splits, confidence=0.9, method="balanced"):
    """Return predictions of the true class with the same confidence throughout."""
    tables = []
    classes = len(cohort.classes)
    for split in splits:
        values = np.full((len(split.test), classes), (1 - confidence) / (classes - 1))
        values[np.arange(len(values)), cohort.labels[split.test]] = confidence
        head = {"method": method, "repeat": split.repeat, "fold": split.fold}
        table = pd.DataFrame(values, columns=[f"p:{name}" for name in cohort.classes])
        tables.append(table.assign(sample=cohort.samples[split.test], **head))
    return pd.concat(tables, ignore_index=True)


@pytest.fixture
def gather(make_cohort):
    """Return a maker of evidence from labels, with whatever else is named replaced."""

    def make(
        labels=None,
        evaluation=None,
        features=None,
        groups=None,
        cohort=None,
        max_features=2000,
        **others,
    ):
        if cohort is None:
            labels = np.arange(150) % 3 if labels is None else labels
            cohort = make_cohort(labels, features or {"rna": 30, "mirna": 25}, groups)
        splits = as_splits(make_splits(cohort, evaluation or Evaluation(repeats=2)), cohort)
        standard = {
            "predictions": predictions_of(cohort, splits, 0.99),
            "information": information(),
            "controls": controls(("leak", "balanced", 0.4, 0.3), ("labels", "balanced", 0.4, 0.3)),
            "absence": absence_table(cohort),
            "features": Features(cohort, max_features),
        }
        return Evidence(cohort, splits, **(standard | others))

    return make


def test_all_checks_of_a_sound_cohort_pass(gather):
    both = ("subset_information", "mirna+rna", None, 1.09, 1.05, 1.13, None)
    whole = dict(zip(INFORMATION_COLUMNS, both, strict=True)) | {"status": "ok"}
    found = pd.DataFrame([*information().to_dict("records"), whole])
    table = trust_table(gather(information=found))
    always = [name for name in CHECKS if name != LABEL_SOURCE]
    assert list(table["check"]) == always
    assert dict(zip(table["check"], table["state"], strict=True)) == dict.fromkeys(always, "pass")
    assert table["detail"].str.endswith(".").all()
    assert withheld(table) == ()


def test_what_the_label_was_derived_from_is_a_caution(gather):
    table = trust_table(gather(label_from=("mirna", "left out"))).set_index("check")
    row = table.loc[LABEL_SOURCE]
    assert (row["state"], row["value"]) == ("caution", "derived from mirna")
    assert "What mirna carries of them is circular." in row["detail"]
    assert LABEL_SOURCE not in set(trust_table(gather(label_from=("left out",)))["check"])


class TestControls:
    @pytest.mark.parametrize(
        ("lower", "lower99", "state"),
        [
            (0.5, 0.4, State.PASS),
            (0.51, 0.5, State.CAUTION),
            (0.55, 0.501, State.FAIL),
        ],
    )
    def test_boundaries(self, gather, lower, lower99, state):
        evidence = gather(controls=controls(("leak", "balanced", lower, lower99)))
        assert CHECKS["leak control"](evidence).state is state
        evidence = gather(controls=controls(("labels", "balanced", lower, lower99)))
        assert CHECKS["label shuffle"](evidence).state is state

    @pytest.mark.parametrize(
        ("lower", "upper", "state"),
        [(0.315, 0.691, State.CAUTION), (0.4, 0.61, State.CAUTION), (0.42, 0.6, State.PASS)],
    )
    def test_an_interval_that_is_too_wide_shows_nothing(self, gather, lower, upper, state):
        rows = controls(("leak", "stacked-lr", 0.45, 0.4), ("leak", "balanced", lower, lower))
        rows.loc[1, "upper"] = upper
        finding = CHECKS["leak control"](gather(controls=rows))
        assert finding.state is state
        assert finding.detail.startswith("Inconclusive") == (state is State.CAUTION)
        if state is State.CAUTION:
            assert finding.value.endswith("balanced")

    def test_one_leaking_method_fails_the_control(self, gather):
        rows = [("leak", "stacked-lr", 0.4, 0.3), ("leak", "balanced", 0.9, 0.8)]
        finding = CHECKS["leak control"](gather(controls=controls(*rows)))
        assert finding.state is State.FAIL
        assert finding.value.endswith("balanced")

    @pytest.mark.parametrize("rows", [[], [("labels", "balanced", np.nan, np.nan)]])
    def test_without_an_interval_it_was_not_run(self, gather, rows):
        finding = CHECKS["label shuffle"](gather(controls=controls(*rows)))
        assert (finding.state, finding.value) == (State.NOT_RUN, None)

    def test_failed_controls_withhold_the_verdict(self, gather):
        rows = [("leak", "balanced", 0.9, 0.8), ("labels", "balanced", 0.9, 0.8)]
        assert withheld(trust_table(gather(controls=controls(*rows[:1])))) == ("leak control",)
        both = withheld(trust_table(gather(controls=controls(*rows))))
        assert both == ("leak control", "label shuffle")

    def test_no_other_failure_does(self, gather):
        table = trust_table(gather(np.repeat([0, 1], [95, 5]), Evaluation(repeats=1, folds=2)))
        assert (table["state"] == "fail").any()
        assert withheld(table) == ()


@pytest.mark.parametrize(
    ("rarest", "state"),
    [(50, State.PASS), (49, State.CAUTION), (10, State.CAUTION), (9, State.FAIL)],
)
def test_rarest_class_with_five_folds(gather, rarest, state):
    """Ten and two members per test fold are 50 and 10 in all."""
    finding = CHECKS["rarest class"](gather(np.repeat([0, 1], [100, rarest])))
    assert finding.state is state
    assert finding.value.startswith(f"{rarest} of b, {rarest / 5:.1f} per")


def test_folds_without_the_rarest_class_are_told(gather):
    """Four groups of 40; the rarest class lies in two of them, 20 each: a mean of 10."""
    labels = np.concatenate([np.repeat([0, 1], 20)] * 2 + [np.zeros(40, dtype=int)] * 2)
    groups = np.repeat(list("wxyz"), 40)
    evaluation = Evaluation(scheme=Scheme.LEAVE_ONE_GROUP_OUT)
    finding = CHECKS["rarest class"](gather(labels, evaluation, groups=groups))
    assert finding.state is State.CAUTION
    assert "2 of 4 test folds have none" in finding.detail


@pytest.mark.parametrize(
    ("repeats", "folds", "state"),
    [(2, 5, State.PASS), (3, 3, State.CAUTION), (1, 5, State.CAUTION), (1, 4, State.FAIL)],
)
def test_folds(gather, repeats, folds, state):
    assert CHECKS["folds"](gather(None, Evaluation(repeats=repeats, folds=folds))).state is state


def test_uneven_folds(gather):
    groups = np.repeat([f"g{i:02d}" for i in range(12)], [60, *[30] * 11])
    evidence = gather(
        np.arange(390) % 3, Evaluation(scheme=Scheme.LEAVE_ONE_GROUP_OUT), groups=groups
    )
    assert CHECKS["folds"](evidence).state is State.PASS
    groups[30:32] = "g11"
    groups[60:62] = "g00"
    groups[62] = "g00"
    evidence = gather(
        np.arange(390) % 3, Evaluation(scheme=Scheme.LEAVE_ONE_GROUP_OUT), groups=groups
    )
    finding = CHECKS["folds"](evidence)
    assert finding.state is State.CAUTION
    assert "27 to 61" in finding.value


@pytest.mark.parametrize(("features", "state"), [(1200, State.PASS), (1201, State.CAUTION)])
def test_samples_per_feature(gather, features, state):
    """120 of 150 samples train: a tenth per feature at 1,200."""
    finding = CHECKS["samples per feature"](gather(features={"rna": features}))
    assert finding.state is state
    assert "120 training samples" in finding.value


def test_features_count_as_far_as_they_are_kept(gather):
    finding = CHECKS["samples per feature"](gather(features={"rna": 1500}, max_features=30))
    assert finding.state is State.PASS
    assert "30 features kept" in finding.value


class TestSeparability:
    def state(self, gather, **changes):
        finding = CHECKS["separability"](gather(information=information(**changes)))
        return finding.state, finding.value

    def test_the_strongest_is_named(self, gather):
        assert self.state(gather) == (State.PASS, "rna, 0.60 (0.50 to 0.70) nats")

    def test_an_interval_that_holds_zero(self, gather):
        assert self.state(gather, difference=(0.0, 0.3)) == (State.CAUTION, "not separable")

    def test_nothing_to_learn(self, gather):
        found = CHECKS["separability"](gather(information=information(p_values=(0.3, 0.4))))
        assert found.state is State.CAUTION
        assert "may be uninformative" in found.detail

    def test_one_modality(self, gather):
        table = information().iloc[:1]
        assert CHECKS["separability"](gather(information=table)).state is State.NOT_RUN


class TestCalibration:
    @pytest.mark.parametrize(
        ("confidence", "state"),
        [(0.99, State.PASS), (0.92, State.CAUTION), (0.7, State.FAIL)],
    )
    def test_of_predictions_that_are_all_right(self, gather, confidence, state):
        """At .92 the error is .08, and by chance about .02; at .7 it is .3."""
        evidence = gather()
        found = predictions_of(evidence.cohort, evidence.splits, confidence)
        assert CHECKS["calibration"](replace(evidence, predictions=found)).state is state

    def test_few_samples_show_no_error_and_no_frequencies(self, gather, monkeypatch):
        evidence = gather()
        for error, null95, said in (
            (0.05, 0.06, "can be read as frequencies"),
            (0.12, 0.16, "an error below 0.16 would not be."),
        ):
            gap = Gap(error, 0.04, null95)
            monkeypatch.setattr("balmi.evaluation.checklist.calibration_gap", lambda *_, g=gap: g)
            finding = CHECKS["calibration"](evidence)
            assert finding.state is State.PASS
            assert said in finding.detail

    def test_the_own_method_is_judged_where_it_ran(self, gather):
        evidence = gather()
        both = [
            predictions_of(evidence.cohort, evidence.splits, confidence, method)
            for method, confidence in (("concat-lr", 0.5), ("balanced", 0.99))
        ]
        finding = CHECKS["calibration"](replace(evidence, predictions=pd.concat(both)))
        assert finding.state is State.PASS
        assert "of balanced" in finding.value
        finding = CHECKS["calibration"](replace(evidence, predictions=both[0]))
        assert "of concat-lr" in finding.value

    def test_without_predictions(self, gather):
        evidence = gather()
        nothing = replace(evidence, predictions=evidence.predictions.iloc[:0])
        assert CHECKS["calibration"](nothing).state is State.NOT_RUN


class TestGroupStructure:
    def copied(self, gather, first, second):
        evidence = gather()
        values = evidence.cohort.tables["rna"].copy()
        values[second] = values[first]
        cohort = replace(evidence.cohort, values=evidence.cohort.tables | {"rna": values})
        return replace(evidence, cohort=cohort)

    def test_copies_on_both_sides_fail_and_are_named(self, gather):
        finding = CHECKS["group structure"](self.copied(gather, 3, 6))
        assert finding.state is State.FAIL
        assert "s0003 and s0006" in finding.detail

    def test_copies_on_one_side_are_a_caution(self, gather):
        evidence = self.copied(gather, 3, 6)
        together = [split for split in evidence.splits if np.isin((3, 6), split.fit).all()]
        finding = CHECKS["group structure"](replace(evidence, splits=together))
        assert finding.state is State.CAUTION

    def test_groups_that_are_kept_pass(self, gather):
        groups = np.array([f"patient{i // 2}" for i in range(150)])
        finding = CHECKS["group structure"](gather(groups=groups))
        assert (finding.state, finding.value) == (State.PASS, "75 groups of 150 samples")

    def test_a_group_on_both_sides_fails(self, gather):
        evidence = gather()
        cohort = replace(evidence.cohort, groups=np.array([f"p{i // 2}" for i in range(150)]))
        finding = CHECKS["group structure"](replace(evidence, cohort=cohort))
        assert finding.state is State.FAIL


def test_fewer_repeats_than_asked_for_are_told(gather):
    groups = np.repeat(list("vwxyz"), 30)
    evidence = gather(None, Evaluation(repeats=5, folds=5), groups=groups, asked=5)
    finding = CHECKS["folds"](evidence)
    assert finding.state is State.CAUTION
    assert finding.value == (
        "5 test folds in 1 repeat, 30 samples each: one partition of these groups is even"
        " enough; 5 repeats were asked for"
    )
    assert "more groups would allow more repeats" in finding.detail


def test_test_folds_that_count_once_are_told(gather):
    """Of six groups in five folds, a pair is one fold and the others are alone: six recur."""
    groups = np.repeat(list("uvwxyz"), 25)
    evidence = gather(None, Evaluation(repeats=3, folds=5), groups=groups, asked=3)
    distinct = {tuple(split.test) for split in evidence.splits}
    assert len(distinct) < 15
    value = CHECKS["folds"](evidence).value
    assert f"15 test folds in 3 repeats, 25 to 50 samples each; {len(distinct)} of them" in value
    assert "asked for" not in value
