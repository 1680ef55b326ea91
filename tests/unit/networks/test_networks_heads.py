"""Losses of heads against values computed by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from balmi.config.settings import Training
from balmi.networks.data import View
from balmi.networks.heads import (
    Criterion,
    counted_heads,
    criterion,
    macro_f1,
    validation_scores,
)
from balmi.networks.network import Batch, Outputs


def one_view(labels, available):
    """Return a view of samples of one replica."""
    labels = torch.tensor([labels])
    available = torch.tensor([available])
    rows = torch.arange(labels.shape[1])[None]
    return View(Batch([], available), rows, labels, torch.ones_like(labels, dtype=torch.bool))


def outputs(unimodal, joint):
    unimodal, joint = (
        torch.from_numpy(np.array([part], dtype=float)) for part in (unimodal, joint)
    )
    return Outputs(unimodal, joint, torch.zeros(*unimodal.shape[:3], 1))


def test_the_logit_adjusted_loss_by_hand(data):
    """Menon et al. 2021, equation 10: log(1 + sum over others of (pi'/pi)^tau e^(f' - f))."""
    settings = Training(logit_adjustment=2.0, class_weight_power=0)
    found = criterion(data, settings)
    labels = data.labels.numpy()
    for replica, split in enumerate(data.splits):
        share = np.bincount(labels[split.train], minlength=3) / len(split.train)
        np.testing.assert_allclose(found.adjustment[replica], 2 * np.log(share), rtol=1e-12)
        np.testing.assert_allclose(found.class_weights[replica], 1)
    share = np.array([0.7, 0.2, 0.1])
    loss = Criterion(torch.ones(1, 3).double(), 2 * torch.from_numpy(np.log(share))[None])
    logits = np.array([0.5, -0.2, 1.0])
    seen = one_view([1], [[True]])
    said = outputs([[logits]], [[logits]])
    expected = np.log(
        1 + sum((share[k] / share[1]) ** 2 * np.exp(logits[k] - logits[1]) for k in (0, 2))
    )
    value = loss.losses(said, seen, loss.sample_weights(seen, seen.counted))
    np.testing.assert_allclose(value, [[expected, expected]], rtol=1e-12)


def test_without_adjustment_nothing_is_added(data):
    assert not criterion(data, Training()).adjustment.any()


def test_losses_weigh_classes_and_leave_out_what_is_absent():
    weights = torch.tensor([[0.5, 2.0]], dtype=torch.float64)
    loss = Criterion(weights, torch.zeros(1, 2).double())
    seen = one_view([0, 1, 1], [[True, True], [True, False], [False, False]])
    zero, sure = [0.0, 0.0], [0.0, np.log(3)]
    said = outputs([[zero, sure], [sure, zero], [sure, sure]], [[sure], [sure], [zero]])
    # -log p of `sure`: log 4 for class 0, log 4/3 for class 1; of `zero`: log 2.
    first = (0.5 * np.log(2) + 2 * np.log(4 / 3)) / 2.5
    second = np.log(4)
    joint = (0.5 * np.log(4) + 2 * np.log(4 / 3)) / 2.5
    found = loss.losses(said, seen, loss.sample_weights(seen, seen.counted))
    np.testing.assert_allclose(found, [[first, second, joint]], rtol=1e-12)
    expected = [[[True, True, True], [True, False, True], [False, False, False]]]
    assert counted_heads(seen, 1).tolist() == expected


def test_a_head_without_samples_has_no_loss_and_no_score():
    loss = Criterion(torch.ones(1, 2).double(), torch.zeros(1, 2).double())
    seen = one_view([0, 1], [[True, False], [True, False]])
    said = outputs([[[1.0, 0.0]] * 2] * 2, [[[1.0, 0.0]]] * 2)
    assert loss.losses(said, seen, loss.sample_weights(seen, seen.counted))[0, 1] == 0
    losses, scores = validation_scores(said, seen, seen.counted, loss)
    assert losses.isnan().tolist() == scores.isnan().tolist() == [[False, True, False]]
    broken = replace(said, unimodal=torch.full_like(said.unimodal, torch.nan))
    losses, _ = validation_scores(broken, seen, seen.counted, loss)
    assert losses[0, 0] == torch.inf
    assert losses[0, 1].isnan()


def test_macro_f1_equals_scikit_learn():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 3, (4, 20), generator=generator)
    predicted = torch.randint(0, 4, (4, 20), generator=generator)
    counted = torch.rand(4, 20, generator=generator) < 0.6
    for replica, score in enumerate(macro_f1(predicted, labels, counted, 5)):
        mask = counted[replica]
        expected = f1_score(
            labels[replica][mask], predicted[replica][mask], average="macro", zero_division=0
        )
        assert score == pytest.approx(expected)
    assert macro_f1(predicted, labels, torch.zeros_like(counted), 5).tolist() == [0.0] * 4
