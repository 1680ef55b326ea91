"""The peer on similarity networks."""

from dataclasses import replace

import numpy as np
import pytest
from fold_task import said
from hypothesis import given
from hypothesis import strategies as st

from balmi.errors import MethodNotApplicable
from balmi.graph.fusion import fuse_network
from balmi.methods.peers import similarity
from balmi.methods.peers.similarity import NETWORK, nearest_shares


def test_shares_of_the_nearest_by_hand():
    similarities = np.zeros((2, 30))
    similarities[0, :25] = np.arange(25, 0, -1)
    found = nearest_shares(similarities)
    assert found[0, :20] == pytest.approx(np.arange(25, 5, -1) / 310)
    assert not found[0, 20:].any()
    assert not found[1].any()


@given(st.integers(0, 10_000), st.integers(1, 40))
def test_shares_are_of_at_most_twenty_and_sum_to_one(seed, columns):
    similarities = np.random.default_rng(seed).random((4, columns)) + 0.01
    found = nearest_shares(similarities)
    assert found.sum(axis=1) == pytest.approx(np.ones(4))
    assert ((found > 0).sum(axis=1) == min(20, columns)).all()
    assert (similarities[found > 0].min() >= 0.01).all()
    for row, shares in zip(similarities, found, strict=True):
        assert row[shares > 0].min() >= row[shares == 0].max(initial=0)


def plain(make_task, apart):
    """One modality in which classes lie far apart."""
    rng = np.random.default_rng(0)
    task = make_task(lacking=False)
    labels = np.repeat([0, 1, 2], 60)
    features = {"a": rng.normal(size=(180, 4)) + apart * np.eye(4)[labels]}
    order = rng.permutation(180)
    return replace(
        task,
        features=features,
        available=np.ones((180, 1), dtype=bool),
        labels=labels,
        fit=np.sort(order[:120]),
        test=np.sort(order[120:]),
    )


def test_all_neighbours_of_one_class_are_smoothed(make_task):
    task = plain(make_task, apart=50)
    expected = np.full((60, 3), 1 / 23)
    expected[np.arange(60), task.labels[task.test]] = 21 / 23
    assert said("snf", task)["snf"] == pytest.approx(expected, abs=1e-6)


def test_noise_gives_no_class_more_than_chance(make_task):
    task = plain(make_task, apart=0)
    found = said("snf", task)["snf"]
    assert (found.argmax(axis=1) == task.labels[task.test]).mean() < 0.55
    assert found.min() >= 1 / 23


def test_a_class_without_training_samples_has_a_chance_too(make_task):
    task = plain(make_task, apart=5)
    found = said("snf", replace(task, classes=4))["snf"]
    assert found[:, 3] == pytest.approx(np.full(60, 1 / 24))


def test_a_sample_that_is_near_nothing_gets_the_class_frequencies(make_task):
    """Its only modality is one that no training sample has."""
    task = plain(make_task, apart=5)
    available = np.column_stack([np.ones(180, dtype=bool), np.zeros(180, dtype=bool)])
    available[task.test[0]] = [False, True]
    features = {**task.features, "b": np.random.default_rng(1).normal(size=(180, 3))}
    found = said("snf", replace(task, features=features, available=available))["snf"]
    assert found[0] == pytest.approx(task.prior)
    assert found[1:] == pytest.approx(said("snf", task)["snf"][1:])


def test_the_fused_network_has_a_say(make_task):
    """What is near are the ends of a sample's own edges and their neighbours in the network."""
    task = plain(make_task, apart=2)
    network = fuse_network(task.features, task.available, task.fit, NETWORK).toarray()
    own = network[np.ix_(task.test, task.fit)]
    inside = network[np.ix_(task.fit, task.fit)]
    member = np.eye(3)[task.labels[task.fit]]
    expected = []
    for edges in own:
        similarity = edges + sum(edge * row for edge, row in zip(edges, inside, strict=True))
        near = np.argsort(-similarity)[:20]
        shares = similarity[near] @ member[near] / similarity[near].sum()
        expected.append((20 * shares + 1) / 23)
    found = said("snf", task)["snf"]
    assert found == pytest.approx(np.array(expected))
    assert np.abs(found - (20 * own @ member + 1) / 23).max() > 0.02


def test_too_many_samples_are_refused_by_their_number(make_task, monkeypatch):
    task = make_task(lacking=False)
    monkeypatch.setattr(similarity, "MOST_SAMPLES", len(task.fit) - 1)
    with pytest.raises(MethodNotApplicable, match=f"every two of {len(task.fit)} training samples"):
        said("snf", task)


def test_samples_are_attached_block_by_block(make_task, monkeypatch):
    task = make_task(lacking=True)
    whole = said("snf", task)["snf"]
    monkeypatch.setattr(similarity, "BLOCK_PAIRS", 1)
    assert said("snf", task)["snf"] == pytest.approx(whole, abs=1e-12)
