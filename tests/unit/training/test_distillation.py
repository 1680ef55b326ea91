"""Who teaches whom, and what the students take over."""

import numpy as np
import pytest
import torch

from balmi.config.settings import Distillation, Model, Teacher, Training
from balmi.information.splits import SplitInformation
from balmi.training.distillation import (
    load_pretrained,
    new_network,
    plan_distillation,
    pretrain,
)
from balmi.training.trainer import predict


def information(label, shared, replicas=1):
    """Return what one training part says, in every replica."""
    label, shared = np.array(label, dtype=float), np.array(shared, dtype=float)
    margin = shared - label[None, :]
    np.fill_diagonal(margin, np.nan)
    each = (label, np.where(label > 0, 0.02, 0.5), shared, margin)
    return SplitInformation(*(np.stack([part] * replicas) for part in each))


SHARED = [[0.0, 0.6, 0.1], [0.6, 0.0, 0.1], [0.1, 0.1, 0.0]]


def test_plan_by_hand():
    plan = plan_distillation(information([0.9, 0.4, 0.3], SHARED), Distillation(strength=0.9))
    # student 1: .6 - .4 = .2 from teacher 0; student 2: .1 - .3 < 0 from both; 0 is strongest
    assert plan.teacher.tolist() == [[-1, 0, -1]]
    np.testing.assert_allclose(plan.strength, [[0.0, 0.9 * 0.2 / 0.6, 0.0]])


def test_a_weaker_modality_never_teaches():
    plan = plan_distillation(information([0.1, 0.2], [[0, 5.0], [5.0, 0]]), Distillation())
    assert plan.teacher.tolist() == [[1, -1]]


def test_noise_neither_teaches_nor_learns():
    known = information([0.9, 0.4, 0.0], [[0, 0.6, 0.3], [0.6, 0, 0.3], [0.3, 0.3, 0]])
    assert known.margin[0, 0, 2] > 0
    assert plan_distillation(known, Distillation()).teacher.tolist() == [[-1, 0, -1]]
    known.p_value[:, 0] = 0.5
    assert plan_distillation(known, Distillation()).teacher.tolist() == [[-1, -1, -1]]


def test_no_teacher_where_none_is_wanted_or_nothing_was_measured():
    known = information([0.9, 0.4, 0.3], SHARED)
    nobody = plan_distillation(known, Distillation(teacher=Teacher.NONE))
    assert (nobody.teacher == -1).all()
    assert (nobody.strength == 0).all()
    unknown = SplitInformation(*(np.full_like(part, np.nan) for part in known_arrays(known)))
    assert (plan_distillation(unknown, Distillation()).teacher == -1).all()


def known_arrays(known):
    return known.label, known.p_value, known.shared, known.margin


@pytest.fixture(scope="module")
def pretrained(data):
    names = data.modalities
    label = [{"strong": 0.9, "redundant": 0.5, "weak": 0.2, "noise": 0.0}[name] for name in names]
    shared = np.full((4, 4), 0.01)
    i, j = names.index("strong"), names.index("redundant")
    shared[i, j] = shared[j, i] = 1.0
    np.fill_diagonal(shared, 0)
    known = information(label, shared, replicas=3)
    known.margin[2] = -1.0  # the third replica distils nothing
    settings = Training(epochs=8, patience=8, learning_rate=0.02)
    return pretrain(
        data, known, Model(hidden=8), settings, Distillation(), lambda name: lambda *call: None
    )


def test_only_planned_students_learn_again(pretrained, data):
    plan = pretrained.plan.dropna(subset=["teacher"])
    assert set(plan["student"]) == {"redundant"}
    assert set(plan["teacher"]) == {"strong"}
    assert set(plan["fold"]) == {0, 1}
    stages = pretrained.training.groupby("stage")["modality"].unique()
    assert set(stages["teacher"]) == set(data.modalities)
    assert set(stages["student"]) == set(plan["student"])


def test_the_whole_network_starts_from_the_pretrained_modalities(pretrained, data):
    network = new_network(data, Model(hidden=8), 0, "whole")
    load_pretrained(network, pretrained.parameters)
    alone = new_network(data.only("weak"), Model(hidden=8), 0, "part")
    load_pretrained(alone, pretrained.parameters)
    index = data.modalities.index("weak")
    whole = predict(network, data)[:, :, index]
    torch.testing.assert_close(whole, predict(alone, data.only("weak"))[:, :, 0])


def test_a_modality_that_was_not_pretrained_is_named(pretrained, data):
    network = new_network(data, Model(hidden=8), 0, "whole")
    lacking = {k: v for k, v in pretrained.parameters.items() if not k.startswith("weak/")}
    with pytest.raises(KeyError, match="weak"):
        load_pretrained(network, lacking)
