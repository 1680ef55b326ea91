"""Parts of the replicas where memory is too small for all of them."""

import logging

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from balmi.config.settings import Method, Model, Settings, Training
from balmi.errors import MethodFailed
from balmi.methods.recipes import Guidance, train_method
from balmi.networks.parts import in_parts


class Memory:
    """A GPU that holds so many replicas at once."""

    def __init__(self, room):
        self.room, self.tried = room, []

    def fit(self, replicas):
        self.tried.append(replicas)
        if len(replicas) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return replicas


@pytest.fixture(autouse=True)
def _heard():
    """Let pytest hear the logger, which a job may have cut off."""
    logging.getLogger("balmi").propagate = True


def test_parts_are_halved_until_they_fit_and_the_log_says_so(caplog):
    memory = Memory(room=3)
    with caplog.at_level(logging.WARNING, "balmi"):
        found = in_parts(range(10), None, memory.fit, "balanced")
    assert [len(part) for part in memory.tried] == [10, 5, 3, 3, 3, 1]
    assert found == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]
    assert [record.message for record in caplog.records] == [
        f"balanced: out of memory on the GPU; going on with at most {size} networks at once"
        for size in (5, 3)
    ]


def test_the_members_of_a_fold_are_never_parted():
    folds = [0, 0, 0, 4, 4, 1, 1, 1, 2, 2, 2]
    memory = Memory(room=5)
    found = in_parts(folds, None, memory.fit, "x")
    assert [len(part) for part in memory.tried] == [11, 5, 6, 3, 3]
    assert found == [[0, 1, 2, 3, 4], [5, 6, 7], [8, 9, 10]]
    each = [[0, 1, 2], [3, 4], [5, 6, 7], [8, 9, 10]]
    assert in_parts(folds, 1, memory.fit, "x") == each
    assert in_parts(folds, 4, memory.fit, "x") == each


def test_memory_that_runs_short_later_keeps_what_is_done():
    memory = Memory(room=4)

    def fit(replicas):
        if replicas[0] == 4:
            memory.room = 2
        return memory.fit(replicas)

    assert in_parts(range(8), 4, fit, "x") == [[0, 1, 2, 3], [4, 5], [6, 7]]


@pytest.mark.parametrize(("largest", "expected"), [(None, [5]), (9, [5]), (2, [2, 2, 1])])
def test_no_more_replicas_at_once_than_configured(largest, expected):
    found = in_parts(range(5), largest, Memory(99).fit, "x")
    assert [len(part) for part in found] == expected


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=12),
    st.integers(4, 40),
    st.none() | st.integers(1, 50),
)
def test_every_replica_is_fitted_once_and_in_order(members, room, largest):
    folds = [fold for fold, count in enumerate(members) for _ in range(count)]
    found = in_parts(folds, largest, Memory(room).fit, "x")
    assert [replica for part in found for replica in part] == list(range(len(folds)))
    for part in found:
        own = {folds[replica] for replica in part}
        assert len(part) == sum(members[fold] for fold in own)
        assert len(part) <= min(room, largest or room) or len(own) == 1


def test_memory_too_small_for_one_fold_fails():
    with pytest.raises(MethodFailed, match="networks of one fold at once: CUDA out of memory"):
        in_parts([0, 0, 1, 1], None, Memory(1).fit, "x")


def test_other_errors_are_not_about_memory():
    def fit(replicas):
        raise RuntimeError("another")

    with pytest.raises(RuntimeError, match="another"):
        in_parts([0, 1], None, fit, "x")


def test_the_result_in_parts_is_that_of_all_at_once(cohort, ensemble, monkeypatch):
    settings = Training(epochs=5, learning_rate=0.02, batch_size=16)
    model = Model(hidden=8)

    def found(training):
        return train_method(
            Method.ENSEMBLE,
            cohort,
            ensemble,
            Guidance(),
            Settings(model=model, training=training),
            lambda *call: None,
        )

    whole, parameters = found(settings)
    configured, _ = found(settings.model_copy(update={"replicas": 4}))
    trained = []

    def scarce(method, data, *rest):
        trained.append(len(data.splits))
        if len(data.splits) > 3:
            raise torch.OutOfMemoryError
        return fit(method, data, *rest)

    from balmi.methods import recipes as methods

    fit = methods._fit
    monkeypatch.setattr(methods, "_fit", scarce)
    halved, others = found(settings)
    assert trained == [9, 3, 3, 3]
    for result in (configured, halved):
        for table in ("predictions", "experts"):
            one, other = getattr(whole, table), getattr(result, table)
            kinds = one.select_dtypes("number").columns
            assert (one[kinds] - other[kinds]).abs().max().max() < 1e-10
            assert one.drop(columns=kinds).equals(other.drop(columns=kinds))
        order = ["repeat", "fold", "member", "epoch", "modality"]
        one, other = (
            each.training.sort_values(order)[["loss", *order]] for each in (whole, result)
        )
        assert len(one) == len(other)
        np.testing.assert_allclose(one["loss"], other["loss"], atol=1e-10)
    assert parameters.keys() == others.keys()
    for name, value in parameters.items():
        torch.testing.assert_close(value, others[name], atol=1e-10, rtol=0)
