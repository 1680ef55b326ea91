"""Information that is estimated below what was shown to be there."""

from dataclasses import replace
from math import log

import numpy as np
import pandas as pd
import pytest

from balmi.evaluation.trust import State
from balmi.evaluation.underestimation import (
    _at_least,
    held_out_gain,
    held_to,
    underestimation,
)
from balmi.information.label import entropy

COLUMNS = ["quantity", "modality", "other", "estimate", "lower", "upper", "n", "status"]
CONFIDENT = 0.8
GAIN = log(CONFIDENT) - log(0.5)  # two classes, equally frequent in every training part


@pytest.fixture
def cohort(make_cohort):
    """Forty samples of two classes in turn, with two modalities."""
    return make_cohort(np.arange(40) % 2, {"mirna": 3, "rna": 3})


def estimates(*rows, half=0.05, n=40):
    """Return a table of information: (modalities, estimate) each."""
    cells = [
        (
            "subset_information" if "+" in name else "label_information",
            *(name, None, value, value - half, value + half, n, "ok"),
        )
        for name, value in rows
    ]
    return pd.DataFrame(cells, columns=COLUMNS)


def predictions(cohort, method="stacked-lr", repeats=2, spread=0.0):
    """Return the true class with .8, in folds of ten in a row; `spread` lets folds differ."""
    tables = []
    for repeat in range(repeats):
        for fold in range(4):
            rows = np.arange(10 * fold, 10 * fold + 10)
            sure = CONFIDENT + spread * (fold - 1.5)
            values = np.full((10, 2), 1 - sure)
            values[np.arange(10), cohort.labels[rows]] = sure
            head = {"sample": cohort.samples[rows], "repeat": repeat, "fold": fold}
            columns = {f"p:{name}": values[:, code] for code, name in enumerate(cohort.classes)}
            tables.append(pd.DataFrame({**head, "method": method, **columns}))
    return pd.concat(tables, ignore_index=True)


def shortfalls(*given):
    """Return the estimates that are lower than is tolerated, the farthest first."""
    return [each for each in held_to(*given) if each.is_too_low]


class TestGain:
    def test_of_certain_folds(self, cohort):
        found = held_out_gain(predictions(cohort), cohort, np.ones(40, dtype=bool))
        assert (found.value, found.lower, found.upper) == pytest.approx((GAIN,) * 3)

    def test_repeated_test_sets_count_once(self, cohort):
        has = np.ones(40, dtype=bool)
        once = held_out_gain(predictions(cohort, repeats=1, spread=0.05), cohort, has)
        often = held_out_gain(predictions(cohort, repeats=5, spread=0.05), cohort, has)
        assert once == often
        assert once.lower < once.value

    def test_others_neither_train_nor_test(self, cohort):
        """Class b is left with 5 of 25 samples; four of its folds' samples are each class's own."""
        has = (cohort.labels == 0) | (np.arange(40) < 10)
        found = held_out_gain(predictions(cohort), cohort, has)
        first = log(CONFIDENT) - (log(15.5 / 16) + log(0.5 / 16)) / 2
        others = log(CONFIDENT) - log(15.5 / 21)
        assert found.value == pytest.approx((first + 3 * others) / 4)

    def test_one_fold_has_no_interval(self, cohort):
        assert held_out_gain(predictions(cohort), cohort, np.arange(40) < 10) is None

    def test_a_class_that_never_trained_is_not_impossible(self, cohort):
        lone = replace(cohort, labels=(np.arange(40) < 10).astype(int))
        found = held_out_gain(predictions(lone), lone, np.ones(40, dtype=bool))
        assert np.isfinite(found.value)


class TestShortfalls:
    def test_an_estimate_below_what_a_method_reads(self, cohort):
        found = shortfalls(estimates(("mirna+rna", 0.3)), predictions(cohort), cohort)
        assert [each.sentence for each in found] == [
            f"of all modalities together 0.300 nats are estimated, and stacked-lr reads {GAIN:.3f}"
        ]

    @pytest.mark.parametrize(("below", "count"), [(0.021, 1), (0.019, 0), (0, 0), (-0.1, 0)])
    def test_two_hundredths_are_tolerated(self, cohort, below, count):
        found = shortfalls(estimates(("mirna+rna", GAIN - below)), predictions(cohort), cohort)
        assert len(found) == count

    def test_intervals_explain_a_gap_or_do_not(self, cohort):
        """Half the width of the estimate's is .05; folds that do not differ add nothing."""
        for below, explained in ((0.049, True), (0.051, False)):
            table = estimates(("mirna+rna", GAIN - below))
            (found,) = shortfalls(table, predictions(cohort), cohort)
            assert found.explained is explained
        unsure = predictions(cohort, spread=0.1)
        (found,) = shortfalls(estimates(("mirna+rna", GAIN - 0.1)), unsure, cohort)
        assert found.explained

    def test_a_modality_is_judged_by_methods_that_saw_it_alone(self, cohort):
        table = estimates(("rna", 0.2), ("mirna", 0.2))
        assert shortfalls(table, predictions(cohort), cohort) == []
        alone = predictions(cohort, "unimodal-lr/rna")
        (found,) = shortfalls(table, alone, cohort)
        assert (found.modalities, found.source) == ("rna", "unimodal-lr/rna reads")

    def test_the_method_that_reads_most_is_named(self, cohort):
        both = [predictions(cohort, name) for name in ("concat-lr", "stacked-lr")]
        both[1] = both[1].assign(**{"p:a": both[1]["p:a"].round(1) * 0 + 0.5, "p:b": 0.5})
        (found,) = shortfalls(estimates(("mirna+rna", 0.1)), pd.concat(both), cohort)
        assert found.source == "concat-lr reads"

    def test_a_combination_below_one_of_its_parts(self, cohort):
        table = estimates(("rna", 0.4), ("mirna", 0.1), ("mirna+rna", 0.3))
        (found,) = shortfalls(table, predictions(cohort).iloc[:0], cohort)
        assert found.sentence == (
            "of all modalities together 0.300 nats are estimated, and of rna alone 0.400"
        )

    @pytest.mark.parametrize(("part", "count"), [(-0.001, 0), (0.004, 0), (0.006, 1)])
    def test_an_amount_below_zero_is_one_of_nothing(self, cohort, part, count):
        table = estimates(("rna", part), ("mirna", -0.1), ("mirna+rna", -0.05))
        assert len(shortfalls(table, predictions(cohort).iloc[:0], cohort)) == count

    @pytest.mark.parametrize(("below", "count"), [(0.006, 1), (0.004, 0)])
    def test_five_thousandths_of_a_part_are_tolerated(self, cohort, below, count):
        table = estimates(("rna", 0.4), ("mirna", 0.1), ("mirna+rna", 0.4 - below))
        assert len(shortfalls(table, predictions(cohort).iloc[:0], cohort)) == count

    def test_a_part_with_other_samples_is_measured_from_their_uncertainty(self, cohort):
        """Complete samples are nearly all of one class: little is left to know of theirs."""
        values = cohort.tables["mirna"].copy()
        values[(cohort.labels == 1) & (np.arange(40) > 4)] = np.nan
        partial = replace(cohort, values={**cohort.tables, "mirna": values})
        table = estimates(("rna", 0.4), ("mirna+rna", 0.2))
        assert shortfalls(table, predictions(cohort).iloc[:0], partial) == []

    def test_what_tells_only_who_lacks_a_modality_is_no_part_of_what_the_others_know(self):
        """`rna` tells exactly who lacks `mirna`, and nothing among the samples that have both."""
        labels = np.arange(60) % 3
        first = entropy(labels) - 2 / 3 * log(2)
        assert _at_least(first, labels, np.ones(60, bool), labels < 2) == pytest.approx(0)
        more = first + 2 / 3 * 0.3  # and .3 nats of a and b among the forty that have both
        assert _at_least(more, labels, np.ones(60, bool), labels < 2) == pytest.approx(0.3)

    def test_among_the_same_samples_all_of_it_is_left(self, cohort):
        every = np.ones(40, dtype=bool)
        assert _at_least(0.25, cohort.labels, every, every) == pytest.approx(0.25)


class TestCheck:
    def test_it_names_what_is_too_low_and_by_how_much(self, cohort):
        found = underestimation(estimates(("mirna+rna", 0.3)), predictions(cohort), cohort)
        assert found.state is State.CAUTION
        assert found.value == f"{GAIN - 0.3:.3f} nats too low for all modalities together"
        assert found.detail.startswith("Information is underestimated here: of all modalities")
        assert "explain" not in found.detail

    def test_it_says_where_the_intervals_explain_the_gap(self, cohort):
        found = underestimation(estimates(("mirna+rna", GAIN - 0.04)), predictions(cohort), cohort)
        assert (found.state, found.value[:5]) == (State.CAUTION, "0.040")
        assert "The intervals of both hold such a gap: the draw of folds" in found.detail

    @pytest.mark.parametrize(("n", "told"), [(40, False), (30, True)])
    def test_it_says_where_estimates_rest_on_a_draw(self, cohort, n, told):
        table = estimates(("rna", 0.3), ("mirna+rna", 0.3), n=n)
        found = underestimation(table, predictions(cohort), cohort)
        said = "Estimates rest on 30 samples drawn of 40 (information.largest), and methods learn"
        assert (said in found.detail) is told

    @pytest.mark.parametrize(("below", "value"), [(-0.1, "0.000"), (0.0123, "0.012")])
    def test_where_nothing_is_too_low(self, cohort, below, value):
        table = estimates(("mirna+rna", GAIN - below))
        found = underestimation(table, predictions(cohort), cohort)
        assert (found.state, found.value) == (State.PASS, f"at most {value} nats too low")

    def test_without_anything_to_be_held_to(self, cohort):
        found = underestimation(estimates(("rna", 0.1)), predictions(cohort).iloc[:0], cohort)
        assert found.state is State.NOT_RUN

    def test_without_estimates(self, cohort):
        refused = estimates(("rna", 0.1)).assign(status="not_applicable")
        found = underestimation(refused, predictions(cohort), cohort)
        assert found.state is State.NOT_RUN
