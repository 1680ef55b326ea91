"""Which class is decided on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from balmi.methods.deciding import MOST_PROBABLE, POWERS, Rule, Said, expected_macro_f1, fit_rule

PROBABILITIES = np.array([[0.6, 0.3, 0.1], [0.5, 0.35, 0.15], [0.8, 0.19, 0.01]])
PRIOR = np.array([0.7, 0.2, 0.1])


class TestRule:
    @pytest.mark.parametrize(
        ("power", "expected"),
        [
            (0.0, [0, 0, 0]),
            (0.5, [0, 1, 0]),  # .717 .671 .316; .598 .783 .474; .956 .425 .032
            (1.0, [1, 1, 0]),  # .857 1.5 1; .714 1.75 1.5; 1.143 .95 .1
        ],
    )
    def test_by_hand(self, power, expected):
        assert Rule(power, PRIOR).classes(PROBABILITIES).tolist() == expected

    def test_without_a_prior_it_is_the_most_probable_class(self):
        assert MOST_PROBABLE.classes(PROBABILITIES).tolist() == [0, 0, 0]
        assert Said(PROBABILITIES).classes.tolist() == [0, 0, 0]

    @pytest.mark.parametrize("power", POWERS)
    def test_a_class_that_there_is_none_of_is_not_decided_on(self, power):
        rule = Rule(power, np.array([0.9, 0.1, 0.0]))
        assert 2 not in rule.classes(np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]]))

    def test_full_power_is_the_most_probable_class_where_all_are_as_frequent(self):
        """By Bayes: p(y | x) / p(y) is proportional to p(x | y)."""
        rng = np.random.default_rng(0)
        likelihood = rng.exponential(size=(50, 3))
        posterior = likelihood * PRIOR
        posterior /= posterior.sum(axis=1, keepdims=True)
        found = Rule(1.0, PRIOR).classes(posterior)
        assert found.tolist() == likelihood.argmax(axis=1).tolist()


class TestExpectedMacroF1:
    def test_by_hand(self):
        """Decided 0, 1, 0: hits 1.4, .35, 0; expected 1.9, .84, .26; decided 2, 1, 0."""
        found = expected_macro_f1(PROBABILITIES, np.array([0, 1, 0]))
        assert found == pytest.approx((2.8 / 3.9 + 0.7 / 1.84 + 0) / 3)

    @given(seed=st.integers(0, 1000), classes=st.integers(2, 4))
    def test_is_the_macro_f1_where_probabilities_are_certain(self, seed, classes):
        rng = np.random.default_rng(seed)
        labels = np.r_[np.arange(classes), rng.integers(0, classes, 20)]
        decided = rng.integers(0, classes, len(labels))
        found = expected_macro_f1(np.eye(classes)[labels], decided)
        assert found == pytest.approx(f1_score(labels, decided, average="macro"))


class TestFitRule:
    def test_the_largest_expected_score_wins(self):
        rng = np.random.default_rng(0)
        p = rng.beta(1, 6, size=500)
        probabilities = np.column_stack([1 - p, p])
        prior = probabilities.mean(axis=0)
        rule = fit_rule(probabilities, prior)
        scores = {
            power: expected_macro_f1(probabilities, Rule(power, prior).classes(probabilities))
            for power in POWERS
        }
        assert scores[rule.power] == max(scores.values()) > scores[0.0]

    def test_of_equal_ones_it_is_the_most_probable_class(self):
        assert fit_rule(np.eye(2)[[0, 1, 1]], np.array([0.5, 0.5])).power == 0
        assert fit_rule(np.zeros((0, 2)), np.array([0.5, 0.5])).power == 0

    def test_labels_are_drawn_from_the_probabilities(self):
        """What is expected is what comes out: over draws, the rule scores best in fact."""
        rng = np.random.default_rng(1)
        p = rng.beta(0.5, 4, size=400)
        probabilities, prior = np.column_stack([1 - p, p]), np.array([1 - p.mean(), p.mean()])
        chosen = fit_rule(probabilities, prior)
        scores = dict.fromkeys(POWERS, 0.0)
        for _ in range(100):
            labels = (rng.random(400) < p).astype(int)
            for power in POWERS:
                decided = Rule(power, prior).classes(probabilities)
                scores[power] += f1_score(labels, decided, average="macro") / 100
        assert scores[chosen.power] > max(scores.values()) - 0.005
        assert scores[chosen.power] > scores[0.0] + 0.02
