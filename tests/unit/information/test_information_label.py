"""Label information: values by hand, intervals, and a null that is valid with groups."""

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import log_loss

from balmi.information.crossfit import Block
from balmi.information.estimates import Null
from balmi.information.label import (
    entropy,
    extrapolated,
    label_estimate,
    label_null,
    mean_interval,
    permuted_labels,
    pointwise_information,
)

COHORTS = 60
# With a valid test at level .05 more rejections than this have a probability below .001.
MOST = int(binom.ppf(0.999, COHORTS, 0.05))


def test_entropy_by_hand():
    assert entropy(np.array([0, 0, 1, 3])) == pytest.approx(1.5 * np.log(2))
    assert entropy(np.zeros(7, dtype=int)) == 0
    assert entropy(np.arange(5)) == pytest.approx(np.log(5))


def test_entropy_does_not_depend_on_order_or_names():
    labels = np.random.default_rng(0).integers(4, size=50)
    renamed = np.array([3, 0, 2, 1])[labels]
    assert entropy(labels[::-1]) == pytest.approx(entropy(labels))
    assert entropy(renamed) == pytest.approx(entropy(labels))


def test_pointwise_information_by_hand():
    posteriors = np.array([[0.8, 0.2], [0.5, 0.5], [0.1, 0.9], [0.25, 0.75]])
    priors = np.array([[0.75, 0.25], [0.75, 0.25], [0.6, 0.4], [0.6, 0.4]])
    labels = np.array([0, 0, 1, 0])
    expected = np.log([0.8 / 0.75, 0.5 / 0.75, 0.9 / 0.4, 0.25 / 0.6])
    assert pointwise_information(posteriors, priors, labels) == pytest.approx(expected)


def shares(labels):
    """Class frequencies of all samples, for each of them: their log-loss is the entropy."""
    return np.tile(np.bincount(labels) / len(labels), (len(labels), 1))


def test_mean_is_what_the_log_loss_gains():
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=80)
    posteriors, priors = rng.dirichlet(np.full(3, 5), (2, 80))
    losses = [log_loss(labels, each, labels=[0, 1, 2]) for each in (priors, posteriors)]
    found = label_estimate(posteriors, priors, labels, None)
    assert found.value == pytest.approx(losses[0] - losses[1])
    expected = entropy(labels) - losses[1]
    found = label_estimate(posteriors, shares(labels), labels, None)
    assert found.value == pytest.approx(expected)


def test_perfect_posteriors_show_the_entropy_and_no_more():
    labels = np.array([0, 1, 1, 2, 2, 2])
    found = label_estimate(np.eye(3)[labels], np.full((6, 3), 0.1), labels, None)
    assert (found.value, found.upper) == pytest.approx((entropy(labels), entropy(labels)))


class TestInterval:
    labels = np.array([0, 0, 1, 1, 1])
    posteriors = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.4, 0.6], [0.5, 0.5]])
    priors = shares(labels)

    def test_by_hand(self):
        estimate = label_estimate(self.posteriors, self.priors, self.labels, None, 7)
        terms = np.log([0.9 / 0.4, 0.6 / 0.4, 0.8 / 0.6, 0.6 / 0.6, 0.5 / 0.6])
        half = 1.959964 * np.sqrt(((terms - terms.mean()) ** 2).sum() / 4) / np.sqrt(5)
        assert estimate.value == pytest.approx(terms.mean())
        assert estimate.lower == pytest.approx(terms.mean() - half)
        assert estimate.upper == pytest.approx(min(terms.mean() + half, entropy(self.labels)))
        assert (estimate.n, estimate.components, estimate.null) == (5, 7, None)

    def test_copies_of_one_patient_add_no_certainty(self):
        once = label_estimate(self.posteriors, self.priors, self.labels, None)
        copies = np.tile(np.arange(5), 3)
        many = label_estimate(
            self.posteriors[copies], self.priors[copies], self.labels[copies], None, groups=copies
        )
        blind = label_estimate(
            self.posteriors[copies], self.priors[copies], self.labels[copies], None
        )
        assert (many.lower, many.upper) == pytest.approx((once.lower, once.upper))
        assert blind.upper - blind.lower < 0.6 * (many.upper - many.lower)

    def test_groups_of_one_are_samples(self):
        alone = label_estimate(
            self.posteriors, self.priors, self.labels, None, groups=np.array([*"dbeac"])
        )
        assert alone == label_estimate(self.posteriors, self.priors, self.labels, None)


class TestLearningCurve:
    found = Null(0.4, np.zeros(39))

    def test_by_hand(self):
        """Missing c/n: .5 - .04 / .8 = .45 of five folds and .5 - .04 / .5 = .42 of two."""
        assert extrapolated(0.45, 0.42, 5, self.found, 2.0) == pytest.approx(0.5)
        assert extrapolated(0.5 - 0.06, 0.5 - 0.08, 3, self.found, 2.0) == pytest.approx(0.5)

    def test_never_above_the_entropy(self):
        assert extrapolated(0.45, 0.3, 5, self.found, 0.6) == 0.6

    def test_no_curve_without_learning(self):
        nothing = Null(0.0, np.linspace(-1, 1, 39))
        assert extrapolated(-0.01, -0.05, 5, nothing, 1.0) == -0.01
        assert extrapolated(0.3, 0.35, 5, self.found, 1.0) == 0.3


class TestPermutedLabels:
    def test_without_groups(self):
        labels = np.array([0, 0, 1, 1, 2, 2, 2, 2])
        permuted = permuted_labels(labels, None, 30, np.random.default_rng(0))
        assert permuted.shape == (30, 8)
        assert (np.sort(permuted, axis=1) == labels).all()
        assert len(np.unique(permuted, axis=0)) > 20

    def test_groups_carry_one_label(self):
        groups = np.array([*"aabbccddd"])
        labels = np.array([0, 0, 1, 1, 0, 0, 2, 2, 2])
        permuted = permuted_labels(labels, groups, 50, np.random.default_rng(0))
        for row in permuted:
            first = [row[groups == group] for group in "abcd"]
            assert all((part == part[0]).all() for part in first)
            assert sorted(part[0] for part in first) == [0, 0, 1, 2]
        assert len(np.unique(permuted, axis=0)) == 12  # 4! / 2!

    def test_groups_with_several_labels_swap_as_wholes(self):
        groups = np.repeat(np.arange(20), 2)
        labels = np.repeat(np.arange(20) % 2, 2)
        labels[0] = 1 - labels[0]  # one patient of 20 has both
        permuted = permuted_labels(labels, groups, 20, np.random.default_rng(0))
        mixed = (permuted[:, ::2] != permuted[:, 1::2]).sum(axis=1)
        assert (mixed == 1).all()
        assert (permuted.sum(axis=1) == labels.sum()).all()

    def test_labels_move_between_groups_of_distinct_sizes(self):
        """Sizes 2, 3 and 4: one mixed group must not keep the labels in place."""
        groups = np.array([*"aabbbcccc"])
        labels = np.array([0, 0, 1, 1, 1, 0, 0, 0, 1])
        permuted = permuted_labels(labels, groups, 400, np.random.default_rng(0))
        ones = np.array([[row[groups == group].sum() for group in "abc"] for row in permuted])
        # a's zeros elsewhere give none; b's ones fill a group; c's (0, 0, 0, 1) give a pair 0 or 1,
        # and three of its four labels 0 or 1.
        assert set(ones[:, 0]) == {0, 1, 2}
        assert set(ones[:, 1]) == {0, 1, 3}
        assert set(ones[:, 2]) == {0, 1, 4}
        stays = (ones[:, 0] == 0) & (ones[:, 1] == 3)
        assert stays.mean() == pytest.approx(1 / 6, abs=0.06)

    def test_swaps_among_groups_of_one_size_stay_where_they_suffice(self):
        """Ten pairs and ten triples: 20 labels of each kind move, and class counts stay."""
        sizes = np.repeat([2, 3], 10)
        groups = np.repeat(np.arange(20), sizes)
        labels = np.repeat(np.arange(20) % 2, sizes)
        labels[0] = 1 - labels[0]
        permuted = permuted_labels(labels, groups, 20, np.random.default_rng(0))
        assert (permuted.sum(axis=1) == labels.sum()).all()

    def test_a_few_equal_groups_beside_a_large_one_do_not_suffice(self):
        """Ten single samples can be arranged in many ways, but hold a fifth of the samples."""
        sizes = np.array([1] * 10 + [11, 13, 16])
        groups = np.repeat(np.arange(13), sizes)
        labels = np.repeat(np.arange(13) % 2, sizes)
        labels[-1] = 1 - labels[-1]
        permuted = permuted_labels(labels, groups, 50, np.random.default_rng(0))
        largest = permuted[:, -16:].mean(axis=1).round()
        assert set(largest) == {0, 1}


def test_a_strong_modality_of_uneven_patients_is_found(white_blocks):
    """Twelve patients of 5 to 16 samples, labels constant in all but two samples."""
    rng = np.random.default_rng(0)
    sizes = np.arange(5, 17)
    groups = np.repeat(np.arange(12), sizes)
    labels = np.repeat(np.arange(12) // 2 % 2, sizes)
    labels[[0, -1]] = 1 - labels[[0, -1]]
    blocks = white_blocks(rng.normal(size=(len(labels), 2)) + 2.5 * labels[:, None], groups)
    assert label_null(blocks, labels, groups, 2, 99, rng).p_value <= 0.02


def test_observed_statistic_is_what_permutation_refits(white_blocks):
    """The identity as 'permutation' gives the observed value: both go the same way."""
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=60)
    blocks = white_blocks(rng.normal(size=(60, 3)) + labels[:, None])

    class Identity:
        def permutation(self, values):
            return values

    null = label_null(blocks, labels, None, 2, 3, Identity())
    assert null.permuted == pytest.approx(np.full(3, null.observed))
    assert null.p_value == 1


def test_permuted_labels_go_the_way_of_the_observed_ones(white_blocks):
    """Also where groups differ in size, so that permuted labels have another entropy."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), [1] * 8 + [2] * 6 + [5] * 4 + [10] * 2)
    labels = rng.integers(3, size=20)[groups]
    blocks = white_blocks(rng.normal(size=(60, 2)), groups)
    null = label_null(blocks, labels, groups, 3, 10, np.random.default_rng(4))
    labellings = permuted_labels(labels, groups, 10, np.random.default_rng(4))
    assert len({round(entropy(row), 6) for row in labellings}) > 5
    alone = [label_null(blocks, row, None, 3, 1, rng).observed for row in labellings]
    assert null.permuted == pytest.approx(alone)


def test_strong_signal_is_found(white_blocks):
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=80)
    blocks = white_blocks(rng.normal(size=(80, 3)) + 1.5 * labels[:, None])
    null = label_null(blocks, labels, None, 2, 39, rng)
    assert null.p_value == pytest.approx(1 / 40)
    assert null.observed > null.null95 + 0.1


def rejections(white_blocks, copies, folds_aware, null_aware):
    """Count p <= .05 over independent cohorts in which a patient gives `copies` samples."""
    found = 0
    for seed in range(COHORTS):
        rng = np.random.default_rng(seed)
        patients = np.repeat(np.arange(100 // copies), copies)
        labels = rng.choice(3, p=[0.5, 0.3, 0.2], size=100 // copies)[patients]
        values = rng.normal(size=(100 // copies, 6))[patients]
        values = values + 1e-3 * rng.normal(size=values.shape)
        blocks = white_blocks(values, patients if folds_aware else None)
        null = label_null(blocks, labels, patients if null_aware else None, 3, 39, rng)
        found += null.p_value <= 0.05
    return found


def test_valid_where_nothing_is_to_be_found(white_blocks):
    assert rejections(white_blocks, 1, folds_aware=False, null_aware=False) <= MOST


@pytest.mark.parametrize("folds_aware", [True, False])
@pytest.mark.parametrize("copies", [2, 4])
def test_valid_with_copies_of_one_patient(white_blocks, copies, folds_aware):
    """Even where copies of held-out samples were trained on: permuted labels profit as much."""
    assert rejections(white_blocks, copies, folds_aware, null_aware=True) <= MOST


def test_ignoring_patients_finds_what_is_not_there(white_blocks):
    assert rejections(white_blocks, 2, folds_aware=False, null_aware=False) > 2 * MOST


def test_mean_interval_by_hand():
    mean, lower, upper = mean_interval(np.array([1.0, 2.0, 3.0, 6.0]), None)
    error = np.std([1, 2, 3, 6], ddof=1) / 2
    assert (mean, lower, upper) == pytest.approx((3.0, 3 - 1.959964 * error, 3 + 1.959964 * error))


def test_copies_of_a_sample_in_one_group_do_not_narrow_the_interval():
    values = np.array([1.0, 2.0, 3.0, 6.0])
    once = mean_interval(values, np.arange(4))
    twice = mean_interval(np.repeat(values, 2), np.repeat(np.arange(4), 2))
    assert once == pytest.approx(mean_interval(values, None))
    assert twice == pytest.approx(once)


@pytest.mark.parametrize("seed", range(5))
def test_where_nothing_varies_no_permutation_is_beaten(seed):
    """Rounding errors of equal statistics decide nothing."""
    rng = np.random.default_rng(seed)
    labels, fold = rng.integers(3, size=60), np.arange(60) % 5
    nothing = np.zeros((60, 0))
    blocks = [
        Block(
            *(np.flatnonzero(side) for side in (fold != k, fold == k)), nothing[:48], nothing[:12]
        )
        for k in range(5)
    ]
    null = label_null(blocks, labels, None, 3, 39, rng)
    assert null.observed == 0
    assert null.p_value == 1
