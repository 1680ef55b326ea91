import numpy as np
import torch
from balancing_driver import Driver

from balmi.config.settings import Balancing
from balmi.networks.balancing.measures import (
    known_scores,
    log_confidence,
    masked_mean,
    mean_of_others,
    present,
    scaled_to,
    trained_on,
)


def test_mean_of_others_compares_only_with_what_counts():
    values = torch.tensor([[1.0, 2.0, 6.0], [1.0, 2.0, 6.0], [1.0, 2.0, 6.0]])
    counted = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 1, 0]]).bool()
    expected = [[4.0, 3.5, 1.5], [6.0, 2.0, 1.0], [1.0, 2.0, 6.0]]
    assert mean_of_others(values, counted).tolist() == expected


def test_masked_mean_is_0_where_nothing_counts():
    values = torch.tensor([[[1.0, 5.0], [3.0, np.nan]]])
    counted = torch.tensor([[[1, 0], [1, 0]]]).bool()
    assert masked_mean(values, counted).tolist() == [[2.0, 0.0]]


def test_scaled_rows_of_zeros_stay():
    rows = torch.tensor([[1.0, 3.0], [0.0, 0.0]])
    assert scaled_to(rows, 2).tolist() == [[0.5, 1.5], [0.0, 0.0]]


def test_unknown_scores_are_the_mean_of_the_others_or_0():
    scores = torch.tensor([[0.5, np.nan, 1.0], [np.nan] * 3])
    assert known_scores(scores).tolist() == [[0.5, 0.75, 1.0], [0.0] * 3]


def test_log_confidence_is_that_of_the_true_class():
    probability = torch.tensor([[[[0.7, 0.3]], [[0.2, 0.8]]]]).double()
    found = log_confidence(probability.log(), torch.tensor([[0, 0]]))
    np.testing.assert_allclose(found, np.log([[[0.7], [0.2]]]))


def test_a_sample_without_weight_does_not_count(case):
    case.weights[0] = 0
    step = Driver(case, Balancing.UNIFORM).look()
    assert not trained_on(step)[0].any()
    assert torch.equal(trained_on(step)[1], case.seen.batch.available[1])
    assert present(step).tolist() == [[False] * 3, [True] * 3]
