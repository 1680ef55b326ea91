"""What stands in for the measurements that samples lack."""

import numpy as np
import pytest
from fold_task import FoldTask

from balmi.methods.pooled.imputing import DRAWS, Donors, filled_to_learn
from balmi.preprocess.fitted import Samples


@pytest.fixture
def side(make_task):
    return make_task().training


def said(samples):
    """Probabilities that follow every feature, and not linearly."""
    logits = np.tanh(np.hstack(list(samples.features.values())).sum(axis=1))
    return np.column_stack([1 / (1 + np.exp(logits)), 1 / (1 + np.exp(-logits))])


def rows_of(values):
    return {tuple(row) for row in values}


class TestDonors:
    def test_are_training_samples_that_have_the_modality(self, side):
        drawn = Donors.of(side).drawn
        assert not side.samples.has("b").all()
        for name in side.modalities:
            assert drawn[name].shape == (DRAWS, side.samples.features[name].shape[1])
            own = side.samples.features[name][side.samples.has(name)]
            assert rows_of(drawn[name]) <= rows_of(own)
            assert len(rows_of(drawn[name])) > 1

    def test_change_nothing_where_nothing_lacks(self, make_task, side):
        tests = make_task(lacking=False).tests
        np.testing.assert_array_equal(Donors.of(side).predict(said, tests), said(tests))

    def test_a_sample_gets_the_mean_over_draws(self, make_task, side):
        tests, donors = make_task().tests, Donors.of(side)
        has = tests.has("b")
        assert 0 < has.sum() < len(tests)
        found = donors.predict(said, tests)
        np.testing.assert_array_equal(found[has], said(tests)[has])
        for row in np.flatnonzero(~has):
            each = [
                said(Samples({"a": tests.features["a"][[row]], "b": drawn[None]}, np.ones((1, 2))))
                for drawn in donors.drawn["b"]
            ]
            assert len(each) == DRAWS
            assert np.ptp([p[0, 0] for p in each]) > 0.01
            assert found[row] == pytest.approx(np.mean(each, axis=0)[0])

    def test_what_is_said_of_a_sample_does_not_depend_on_its_company(self, make_task, side):
        tests, donors = make_task().tests, Donors.of(side)
        found = donors.predict(said, tests)
        order = np.random.default_rng(0).permutation(len(tests))
        np.testing.assert_array_equal(donors.predict(said, tests.take(order)), found[order])
        for row in range(len(tests)):
            alone = donors.predict(said, tests.take(np.array([row])))
            assert alone == pytest.approx(found[[row]], abs=1e-12)

    def test_are_the_same_at_every_run(self, side):
        first, second = Donors.of(side).drawn, Donors.of(side).drawn
        for name in side.modalities:
            np.testing.assert_array_equal(first[name], second[name])

    def test_values_in_gaps_are_not_read(self, make_task, side):
        tests, donors = make_task().tests, Donors.of(side)
        features = {name: values.copy() for name, values in tests.features.items()}
        features["b"][~tests.has("b")] = 77.0
        garbled = Samples(features, tests.available)
        found = donors.predict(said, garbled)
        np.testing.assert_array_equal(found, donors.predict(said, tests))


class TestFilledToLearn:
    def test_touches_gaps_only(self, side):
        filled, has = filled_to_learn(side), side.samples.has("b")
        np.testing.assert_array_equal(filled.features["a"], side.samples.features["a"])
        np.testing.assert_array_equal(filled.features["b"][has], side.samples.features["b"][has])
        assert not side.samples.features["b"][~has].any()  # the side itself stays as it was

    def test_a_gap_holds_a_whole_row_of_a_sample_that_has_it(self, side):
        filled, has = filled_to_learn(side), side.samples.has("b")
        own = rows_of(side.samples.features["b"][has])
        gaps = rows_of(filled.features["b"][~has])
        assert (~has).sum() > 5
        assert gaps <= own
        assert len(gaps) > 3

    def test_availability_stays(self, side):
        np.testing.assert_array_equal(filled_to_learn(side).available, side.samples.available)


def test_a_modality_that_nobody_has_is_zeros(make_task):
    task = make_task()
    available = task.available.copy()
    available[task.fit, 1] = False
    features = {"a": task.features["a"], "b": np.where(available[:, [1]], task.features["b"], 0)}
    task = FoldTask(**{**vars(make_task()), "features": features, "available": available})
    side = task.training
    assert not Donors.of(side).drawn["b"].any()
    assert not filled_to_learn(side).features["b"].any()
    found = Donors.of(side).predict(said, task.tests)
    assert found.sum(axis=1) == pytest.approx(np.ones(30))
