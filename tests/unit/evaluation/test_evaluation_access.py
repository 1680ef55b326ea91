"""Where the signal lies: gains of pools that see more, and what they show."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from balmi.config.settings import PrimaryMetric
from balmi.evaluation.access import LEVELS, ORDER, Access, access_table, where_the_signal_lies
from balmi.evaluation.statistics import corrected_interval, holm

FOLDS, REPEATS = 5, 2


def said(cohort, strengths, seed=0):
    """Return predictions of every level; a strength is what is said for the true class, nats."""
    parts = []
    for repeat in range(REPEATS):
        rng = np.random.default_rng([seed, repeat])
        folds = rng.permutation(np.arange(len(cohort.labels)) % FOLDS)
        for level, strength in strengths.items():
            logits = rng.normal(size=(len(folds), 2)) * 0.1
            logits[np.arange(len(folds)), cohort.labels] += strength
            p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            head = {"sample": cohort.samples, "repeat": repeat, "fold": folds}
            columns = {f"p:{name}": p[:, k] for k, name in enumerate(cohort.classes)}
            parts.append(pd.DataFrame({**head, "method": LEVELS[level], **columns}))
    return pd.concat(parts, ignore_index=True)


def table(cohort, strengths, **change):
    return access_table(said(cohort, strengths, **change), cohort, 0.25, PrimaryMetric.MACRO_F1)


@pytest.fixture
def cohort(make_cohort):
    return make_cohort(np.random.default_rng(0).permutation(np.arange(200) % 2))


FROM_NOTHING = {f"nothing_{level}": True for level in LEVELS}
FLAT = dict.fromkeys(LEVELS, 0.5)


class TestTable:
    def test_a_gain_is_positive_whatever_the_metric(self, cohort):
        found = table(cohort, FLAT | {"joint": 1.5}).set_index(["metric", "less", "more"])
        for metric, levels in (("log_loss", ORDER), ("macro_f1", tuple(LEVELS))):
            rows = found.loc[metric]
            assert set(rows.index) == set(combinations(levels, 2))
            assert rows["gain"]["additive", "joint"] > (0.2 if metric == "log_loss" else -0.01)
        row = found.loc["log_loss", "nothing", "one"]
        assert row["lower"] < row["gain"] < row["upper"]

    def test_gains_are_those_of_paired_folds(self, cohort):
        predictions = said(cohort, FLAT | {"joint": 0.8})
        found = access_table(predictions, cohort, 0.25, PrimaryMetric.LOG_LOSS)
        gains, codes = [], cohort.labels[cohort.positions(predictions["sample"])]
        p = predictions[[f"p:{name}" for name in cohort.classes]].to_numpy()
        predictions["loss"] = -np.log(p[np.arange(len(p)), codes])
        means = predictions.groupby(["repeat", "fold", "method"])["loss"].mean().unstack()
        gains = (means["pooled/linear"] - means["pooled"]).to_numpy()
        expected = corrected_interval(gains, 0.25)
        row = found.query("metric == 'log_loss' and less == 'linear' and more == 'joint'").iloc[0]
        assert row["gain"] == pytest.approx(expected.mean)
        assert (row["lower"], row["upper"]) == pytest.approx((expected.lower, expected.upper))
        assert row["p"] == pytest.approx(expected.p)
        assert row["folds"] == 10
        rows = found[found["metric"] == "log_loss"]
        assert rows["p_holm"].to_numpy() == pytest.approx(holm(rows["p"].tolist()))

    def test_nothing_says_the_frequencies_of_all_other_samples(self, cohort):
        predictions = said(cohort, dict.fromkeys(LEVELS, 0.0))
        found = access_table(predictions, cohort, 0.25, PrimaryMetric.MACRO_F1)
        losses = []
        codes = cohort.labels[cohort.positions(predictions["sample"])]
        for _, rows in predictions.query("method == 'pooled'").groupby(["repeat", "fold"]):
            mine = cohort.positions(rows["sample"])
            shares = np.bincount(np.delete(cohort.labels, mine), minlength=2) / (200 - len(mine))
            p = rows[[f"p:{name}" for name in cohort.classes]].to_numpy()
            own = p[np.arange(len(p)), cohort.labels[mine]]
            losses.append((np.log(own) - np.log(shares[cohort.labels[mine]])).mean())
        assert len(codes) == len(predictions)
        row = found.query("metric == 'log_loss' and less == 'nothing' and more == 'joint'").iloc[0]
        assert row["gain"] == pytest.approx(np.mean(losses))

    def test_only_complete_samples_count(self, cohort):
        values = {name: each.copy() for name, each in cohort.tables.items()}
        values["rna"][:100] = np.nan
        lacking = replace(cohort, values=values)
        predictions = said(lacking, FLAT | {"joint": 1.5})
        found = access_table(predictions, lacking, 0.25, PrimaryMetric.MACRO_F1)
        garbled = predictions.copy()
        inside = lacking.positions(predictions["sample"]) < 100
        garbled.loc[inside, [f"p:{name}" for name in cohort.classes]] = 0.5
        other = access_table(garbled, lacking, 0.25, PrimaryMetric.MACRO_F1)
        pd.testing.assert_frame_equal(found, other)
        assert len(found) == 10 + 6

    def test_is_empty_without_all_levels(self, cohort):
        assert table(cohort, {"one": 1.0, "joint": 1.0}).empty


class TestVerdict:
    @pytest.mark.parametrize(
        ("strengths", "expected"),
        [
            (dict.fromkeys(LEVELS, 0.0), Access.NONE),
            (dict.fromkeys(LEVELS, 1.0), Access.ONE),
            ({"one": 0.5, "linear": 1.2, "additive": 1.2, "joint": 1.2}, Access.LINEAR),
            ({"one": 0.5, "linear": 0.8, "additive": 1.4, "joint": 1.4}, Access.ADDITIVE),
            ({"one": 0.0, "linear": 0.0, "additive": 0.0, "joint": 1.0}, Access.JOINT),
            # One modality whose signal is not linear: its own pool has it, sums of lines do not.
            ({"one": 1.4, "linear": 0.5, "additive": 1.4, "joint": 1.4}, Access.ONE),
        ],
    )
    def test_is_the_least_that_loses_nothing(self, cohort, strengths, expected):
        assert where_the_signal_lies(table(cohort, strengths)) is expected

    def rows(self, upper=0.005, folds=10, **shown):
        """Return gains that are shown for some pairs, and others that end at a limit."""
        made = []
        for less, more in combinations(ORDER, 2):
            yes = shown.get(f"{less}_{more}", False)
            limits = (0.1, 0.5) if yes else (-0.01, upper)
            made.append(
                {"metric": "log_loss", "less": less, "more": more, "gain": sum(limits) / 2}
                | {"lower": limits[0], "upper": limits[1], "p": 0.0, "folds": folds}
                | {"p_holm": 0.001 if yes else 1.0}
            )
        return pd.DataFrame(made)

    def test_a_level_must_be_shown_to_leave_nothing_noticeable(self):
        """Of the .3 nats that one modality says, .15 are .045."""
        assert where_the_signal_lies(self.rows(0.040, **FROM_NOTHING)) is Access.ONE
        assert where_the_signal_lies(self.rows(0.050, **FROM_NOTHING)) is Access.NONE

    def test_what_is_noticeable_ends_at_a_twentieth(self):
        found = self.rows(0.051, **FROM_NOTHING)
        strong = found["less"] == "nothing"
        found.loc[strong, ["gain", "lower", "upper"]] = (0.9, 0.8, 1.0)
        assert where_the_signal_lies(found) is Access.NONE
        found.loc[~strong, "upper"] = 0.049
        assert where_the_signal_lies(found) is Access.ONE

    def test_too_few_folds_show_nothing(self):
        assert where_the_signal_lies(self.rows(folds=9, **FROM_NOTHING)) is Access.NONE
        assert where_the_signal_lies(self.rows().iloc[:0]) is Access.NONE

    def test_a_gain_counts_after_holm_alone(self):
        found = self.rows(one_joint=True, **FROM_NOTHING)
        found.loc[(found["less"] == "one") & (found["more"] == "joint"), "p_holm"] = 0.06
        assert where_the_signal_lies(found) is Access.NONE
