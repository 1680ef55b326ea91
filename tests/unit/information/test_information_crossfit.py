"""Folds and views of a cross-fitting: what they equal, and what they must not see."""

import numpy as np
import pytest
from changed_cohorts import with_cells
from scipy.stats import norm

from balmi.information.crossfit import (
    Block,
    Views,
    cross_fit_blocks,
    fold_numbers,
    normal_scores,
    principal_components,
)
from balmi.preprocess.features import Features


class TestFolds:
    def test_cover_all_samples_evenly(self):
        fold = fold_numbers(23, None, 5, seed=1)
        assert sorted(np.bincount(fold)) == [4, 4, 5, 5, 5]
        assert np.array_equal(fold, fold_numbers(23, None, 5, seed=1))
        assert not np.array_equal(fold, fold_numbers(23, None, 5, seed=2))

    def test_groups_stay_together(self):
        groups = np.random.default_rng(0).integers(12, size=60).astype(str)
        fold = fold_numbers(60, groups, 4, seed=0)
        assert all(len(np.unique(fold[groups == group])) == 1 for group in np.unique(groups))
        assert len(np.unique(fold)) == 4

    def test_no_more_folds_than_groups(self):
        groups = np.repeat(["a", "b", "c"], 20)
        assert len(np.unique(fold_numbers(60, groups, 5, seed=0))) == 3
        assert set(fold_numbers(60, np.repeat("a", 60), 5, seed=0)) == {0}
        assert len(np.unique(fold_numbers(3, None, 5, seed=0))) == 3


class TestBlocks:
    @pytest.fixture
    def parts(self, cohort_of):
        rng = np.random.default_rng(0)
        values = rng.normal(size=(60, 12)) @ rng.normal(size=(12, 12))
        values[::7] = np.nan
        cohort = cohort_of({"a": values}, rng.integers(2, size=60))
        rows = np.flatnonzero(cohort.available[:, 0])[:45]
        return cohort, rows, fold_numbers(45, None, 5, seed=0)

    def test_components_of_the_training_part(self, parts):
        cohort, rows, fold = parts
        blocks = list(cross_fit_blocks(Views(Features(cohort, 100)), ("a",), rows, fold, 50))
        assert sorted(np.concatenate([block.test for block in blocks])) == list(range(45))
        for block in blocks:
            assert not set(block.train) & set(block.test)
            n, k = block.train_scores.shape
            assert (n, k) == (36, 36 // 5)
            second = block.train_scores.T @ block.train_scores / n
            assert np.trace(second) == pytest.approx(k)  # a variance of 1 on average
            assert second == pytest.approx(np.diag(np.diag(second)), abs=1e-8)
            assert (np.diff(np.diag(second)) <= 0).all()
            white = block.white_scores[0]
            assert white.mean(axis=0) == pytest.approx(np.zeros(k), abs=1e-10)
            assert white.T @ white / n == pytest.approx(np.eye(k), abs=1e-8)
            assert block.test_scores.shape == (9, k)

    def test_several_modalities_share_the_room_and_lead_together(self, cohort_of):
        rng = np.random.default_rng(0)
        values = {
            "a": 3 * rng.normal(size=(60, 1)) + 0.1 * rng.normal(size=(60, 9)),
            "b": rng.normal(size=(60, 9)),
        }
        cohort = cohort_of(values, rng.integers(2, size=60))
        rows, fold = np.arange(60), fold_numbers(60, None, 5, seed=0)
        both = next(cross_fit_blocks(Views(Features(cohort, 100)), ("a", "b"), rows, fold, 50))
        count = 48 // 5 // 2
        assert both.train_scores.shape == (48, 2 * count)
        for start, name in enumerate(values):
            alone = next(cross_fit_blocks(Views(Features(cohort, 100)), (name,), rows, fold, count))
            np.testing.assert_allclose(both.train_scores[:, start::2], alone.train_scores)
            np.testing.assert_allclose(both.test_scores[:, start::2], alone.test_scores)

    def test_held_out_samples_shape_nothing(self, parts):
        cohort, rows, fold = parts
        before = list(cross_fit_blocks(Views(Features(cohort, 8)), ("a",), rows, fold, 5))
        held_out = rows[fold == 2]
        outside = np.setdiff1d(np.flatnonzero(cohort.available[:, 0]), rows)
        cohort = with_cells(cohort, "a", held_out, 50 * cohort.tables["a"][held_out])
        cohort = with_cells(cohort, "a", outside, 1e3)
        after = list(cross_fit_blocks(Views(Features(cohort, 8)), ("a",), rows, fold, 5))
        np.testing.assert_array_equal(before[2].train_scores, after[2].train_scores)
        assert not np.allclose(before[2].test_scores, after[2].test_scores)
        assert not np.allclose(before[1].train_scores, after[1].train_scores)

    def test_a_direction_that_only_varies_outside_training_is_dropped(self, cohort_of):
        rng = np.random.default_rng(0)
        values = rng.normal(size=(100, 3))
        values[:, 2] = values[:, 1]
        values[-20:, 2] += 1
        cohort = cohort_of({"a": values}, rng.integers(2, size=100))
        fold = np.repeat(np.arange(5), 20)
        block = list(
            cross_fit_blocks(Views(Features(cohort, 10)), ("a",), np.arange(100), fold, 10)
        )[4]
        assert block.train_scores.shape[1] == 2
        assert np.abs(block.test_scores).max() < 10

    def test_nothing_that_varies_leaves_no_component(self, cohort_of):
        cohort = cohort_of({"a": np.ones((50, 4))}, np.arange(50) % 3)
        fold = fold_numbers(50, None, 5, seed=0)
        blocks = list(
            cross_fit_blocks(Views(Features(cohort, 10)), ("a",), np.arange(50), fold, 10)
        )
        assert all(block.train_scores.shape == (40, 0) for block in blocks)


def test_normal_scores_by_hand():
    """Five learned samples lie at the normal quantiles of .1, .3, .5, .7 and .9."""
    learn = np.array([[30.0], [10.0], [50.0], [20.0], [40.0]])
    other = np.array([[0.0], [25.0], [99.0]])
    scores = norm.ppf([0.1, 0.3, 0.5, 0.7, 0.9])
    found, between = normal_scores(learn, other)
    assert found[:, 0] == pytest.approx(scores[[2, 0, 4, 1, 3]])
    assert between[:, 0] == pytest.approx([scores[0], (scores[1] + scores[2]) / 2, scores[4]])


def test_normal_scores_do_not_depend_on_the_scale_of_a_feature():
    values = np.random.default_rng(0).normal(size=(150, 4))
    plain = normal_scores(values[:100], values[:100])[1]
    stretched = normal_scores(np.exp(values[:100]), np.exp(values[:100]))[1]
    assert plain == pytest.approx(stretched, abs=0.15)
    learned = normal_scores(values[:80], values[80:])[0]
    assert learned == pytest.approx(normal_scores(np.exp(values[:80]), np.exp(values[80:]))[0])


@pytest.mark.parametrize(("samples", "features"), [(60, 20), (40, 700), (620, 540)])
def test_every_solver_gives_the_leading_directions(samples, features):
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(samples, 2)) * [4, 2]
    loadings = np.linalg.qr(rng.normal(size=(features, 2)))[0]
    values = latent @ loadings.T + 0.01 * rng.normal(size=(samples, features))
    learn, other = principal_components(values, values[:5], 2)
    assert other == pytest.approx(learn[:5])
    for column in range(2):
        assert abs(np.corrcoef(learn[:, column], latent[:, column])[0, 1]) > 0.95


def test_radial_scores_are_white_in_training_and_learn_nothing_held_out(white_blocks):
    values = np.random.default_rng(1).normal(size=(100, 3))
    first = white_blocks(values)[0]
    learn, _ = first.radial_scores
    np.testing.assert_allclose(np.cov(learn.T, bias=True), np.eye(learn.shape[1]), atol=1e-6)
    garbled = Block(first.train, first.test, first.train_scores, 5 * first.test_scores)
    np.testing.assert_array_equal(learn, garbled.radial_scores[0])


def test_what_a_fold_sees_is_learned_once_while_there_is_room(cohort_of, monkeypatch):
    """40 learned and 10 other samples of 3 features in double precision take 1,200 bytes."""
    cohort = cohort_of({"a": np.random.default_rng(0).normal(size=(50, 3))}, np.arange(50) % 2)
    given = normal_scores, "a", np.arange(40), np.arange(40, 50)
    for room, kept in ((1199, False), (1200, True)):
        monkeypatch.setattr("balmi.information.crossfit.MOST_KEPT", room)
        views = Views(Features(cohort, 10))
        (first, width), (again, _) = views.of(*given), views.of(*given)
        assert width == 3
        assert (first is again) == kept
        for one, other in zip(first, again, strict=True):
            np.testing.assert_array_equal(one, other)


def test_quantiles_do_not_depend_on_digits(cohort_of, monkeypatch):
    """A large training part is in single precision, and the smaller one held out in double."""
    rng = np.random.default_rng(0)
    values = np.round(rng.exponential(size=(60, 5)) * 3) / 7
    features = Features(cohort_of({"a": values}, np.arange(60) % 2), 10)
    sides = np.arange(45), np.arange(45, 60)
    (learned, other), _ = Views(features).of(normal_scores, "a", *sides)
    monkeypatch.setattr("balmi.preprocess.fitted.MANY_CELLS", 100)
    views = Views(features)
    assert {part.dtype for part in views.scaled("a", *sides)} == {np.dtype(np.float32)}
    found, _ = views.of(normal_scores, "a", *sides)
    assert found[0] == pytest.approx(learned, abs=1e-4)
    assert found[1] == pytest.approx(other, abs=1e-4)
