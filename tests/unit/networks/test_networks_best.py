"""Which epoch's parameters are kept, and when a replica ends."""

import pytest
import torch

from balmi.networks.best import Best
from balmi.networks.network import ReplicaNetwork, Shape

NAN = float("nan")
NAME = "heads.0.top.bias"
EVERYBODY = torch.arange(2)


@pytest.fixture
def network():
    shape = Shape(("a",), ((3, 3),), (3,), classes=2, hidden=2, dropout=0.0)
    return ReplicaNetwork(shape, seeds=(1, 2), dtype=torch.float64)


def told(best, network, scores, replicas=EVERYBODY):
    """Give the network the number of the epoch, and tell the epoch's scores."""
    for epoch, score in enumerate(scores):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.fill_(epoch)
        best.update(torch.tensor(score, dtype=torch.float64), replicas)
    return best


def kept_epochs(best):
    values = {name: value.flatten(2) for name, value in best.kept.items()}
    assert all((value == value[..., :1]).all() for value in values.values())
    assert len({tuple(value[..., 0].flatten().tolist()) for value in values.values()}) == 1
    return values[NAME][..., 0].T.tolist()


def test_every_head_and_replica_keeps_its_own_best_epoch(network):
    scores = [[[3.0, 1.0], [2.0, 5.0]], [[2.0, 4.0], [2.0, 4.0]], [[2.5, 0.5], [3.0, 3.0]]]
    best = told(Best(network, 2, patience=5), network, scores)
    assert kept_epochs(best) == [[1.0, 2.0], [0.0, 2.0]]
    assert best.active.tolist() == [True, True]


def test_a_replica_ends_when_no_head_gets_better_for_as_long_as_the_patience(network):
    best = Best(network, 2, patience=2)
    going = []
    steps = [
        [[1.0, 9.0], [1.0, 1.0]],
        [[2.0, 8.0], [1.0, 1.0]],  # equal is not better
        [[2.0, 7.0], [1.5, 1.0]],  # the second has not got better twice
        [[2.0, 7.0], [0.0, 0.0]],  # too late for the second
        [[2.0, 7.0], [0.0, 0.0]],
    ]
    for scores in steps:
        best.update(torch.tensor(scores, dtype=torch.float64), EVERYBODY)
        going.append(best.active.tolist())
    assert going == [[True] * 2, [True] * 2, [True, False], [True, False], [False, False]]


def test_what_has_ended_is_no_longer_kept(network):
    scores = [[[1.0], [5.0]], [[2.0], [4.0]], [[0.0], [3.0]]]
    best = told(Best(network, 1, patience=1), network, scores)
    assert best.active.tolist() == [False, True]
    assert kept_epochs(best) == [[0.0], [2.0]]


def test_a_head_that_nothing_judges_keeps_the_latest_parameters(network):
    scores = [[[NAN, 1.0], [NAN, NAN]], [[NAN, 2.0], [NAN, NAN]], [[NAN, 3.0], [NAN, NAN]]]
    best = told(Best(network, 2, patience=3), network, scores)
    assert kept_epochs(best) == [[2.0, 0.0], [2.0, 2.0]]
    assert best.active.tolist() == [True, False]


def test_replicas_that_are_gone_stay_as_they_were(network):
    best = told(Best(network, 1, patience=9), network, [[[1.0], [1.0]]])
    alone = ReplicaNetwork(
        Shape(("a",), ((3,),), (3,), classes=2, hidden=2, dropout=0.0), (2,), torch.float64
    )
    best._network = alone
    told(best, alone, [[[0.5]], [[0.2]]], torch.tensor([1]))
    assert kept_epochs(best) == [[0.0], [1.0]]


def test_what_is_told_to_a_checkpoint_is_all(network):
    scores = [[[3.0], [1.0]], [[2.0], [1.0]]]
    best = told(Best(network, 1, patience=3), network, scores)
    other = Best(network, 1, patience=3)
    other.load({name: value.clone() for name, value in best.state().items()})
    for each in (best, other):
        told(each, network, [[[9.0], [1.0]], [[9.0], [0.0]], [[9.0], [9.0]]])
    assert kept_epochs(best) == kept_epochs(other) == [[1.0], [1.0]]
    assert best.active.tolist() == other.active.tolist() == [False, True]
