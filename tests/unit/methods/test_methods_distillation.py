"""Who teaches whom, what the teachers say, and what the students take over."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from balmi.config.settings import Distillation, Model, Teacher, Training
from balmi.information.files import SplitInformation
from balmi.methods.distillation import (
    Plan,
    balanced_shift,
    load_pretrained,
    new_network,
    plan_distillation,
    plan_table,
    pretrain,
    soft_targets,
)
from balmi.networks.trained import Trained, predict
from balmi.tables.contract import TABLES


def information(label, shared, replicas=1):
    """Return what one training part says, in every replica."""
    label, shared = np.array(label, dtype=float), np.array(shared, dtype=float)
    margin = shared - label[None, :]
    np.fill_diagonal(margin, np.nan)
    each = (label, np.where(label > 0, 0.02, 0.5), shared, margin)
    return SplitInformation(*(np.stack([part] * replicas) for part in each))


MODEL = Model(hidden=8)


def silent(name):
    return lambda *call: None


SHARED = [[0.0, 0.6, 0.1], [0.6, 0.0, 0.1], [0.1, 0.1, 0.0]]
NOBODY = [[False] * 3] * 3


def teachers_of(plan, replica=0):
    """Return every student's teachers by their numbers."""
    return [np.flatnonzero(row).tolist() for row in plan.teachers[replica]]


def test_plan_by_hand():
    wanted = Distillation(teacher=Teacher.STRONGEST, strength=0.9)
    plan = plan_distillation(information([0.9, 0.4, 0.3], SHARED), wanted)
    # student 1: .6 - .4 = .2 from teacher 0; student 2: .1 - .3 < 0 from both; 0 is strongest
    assert teachers_of(plan) == [[], [0], []]
    np.testing.assert_allclose(plan.strength, [[0.0, 0.9 * 0.2 / 0.6, 0.0]])


# Labels .9, .4, .2, and margins teacher -> student: 0 -> 1 .2, 0 -> 2 .3, 1 -> 2 .1, 2 -> 1 .1.
CROWD = [[0.0, 0.6, 0.5, 0.1], [0.6, 0.0, 0.3, 0.1], [0.5, 0.5, 0.0, 0.1], [0.1, 0.1, 0.1, 0.0]]
CROWD_LABEL = [0.9, 0.4, 0.2, 0.3]


@pytest.mark.parametrize(
    ("teacher", "expected", "strength"),
    [
        (Teacher.STRONGEST, [[], [0], [0], []], [0, 0.2 / 0.6, 0.3 / 0.5, 0]),
        (
            Teacher.ENSEMBLE,
            [[], [0, 2], [0, 1], []],
            [0, (0.2 / 0.6 + 0.1 / 0.5) / 2, (0.3 / 0.5 + 0.1 / 0.3) / 2, 0],
        ),
        (
            Teacher.CLASS_BALANCED,
            [[], [0, 2], [0, 1], []],
            [0, (0.2 / 0.6 + 0.1 / 0.5) / 2, (0.3 / 0.5 + 0.1 / 0.3) / 2, 0],
        ),
        (Teacher.NONE, [[], [], [], []], [0, 0, 0, 0]),
    ],
)
def test_every_choice_of_teachers_by_hand(teacher, expected, strength):
    known = information(CROWD_LABEL, CROWD)
    plan = plan_distillation(known, Distillation(teacher=teacher, strength=0.5))
    assert teachers_of(plan) == expected
    np.testing.assert_allclose(plan.strength[0], 0.5 * np.array(strength), rtol=1e-12)


def test_the_strongest_of_several_teachers_is_the_one_that_knows_most():
    label, shared = [0.5, 0.9, 0.2], [[0, 0.1, 0.9], [0.1, 0, 0.4], [0.9, 0.4, 0]]
    wanted = Distillation(teacher=Teacher.STRONGEST)
    plan = plan_distillation(information(label, shared), wanted)
    # 0 shares more with the student, but 1 knows more of the label.
    assert teachers_of(plan) == [[], [], [1]]


def test_a_weaker_modality_never_teaches_alone():
    known = information([0.1, 0.2], [[0, 5.0], [5.0, 0]])
    strongest = plan_distillation(known, Distillation(teacher=Teacher.STRONGEST))
    assert teachers_of(strongest) == [[1], []]
    everyone = plan_distillation(known, Distillation(teacher=Teacher.ENSEMBLE))
    assert teachers_of(everyone) == [[1], [0]]


@pytest.mark.parametrize("teacher", list(Teacher))
def test_noise_neither_teaches_nor_learns(teacher):
    known = information([0.9, 0.4, 0.0], [[0, 0.6, 0.3], [0.6, 0, 0.3], [0.3, 0.3, 0]])
    assert known.margin[0, 0, 2] > 0
    wanted = Distillation(teacher=teacher)
    expected = [[], [] if teacher is Teacher.NONE else [0], []]
    assert teachers_of(plan_distillation(known, wanted)) == expected
    known.p_value[:, 0] = 0.5
    assert not plan_distillation(known, wanted).teachers.any()


@pytest.mark.parametrize("teacher", list(Teacher))
def test_nobody_teaches_where_nothing_was_measured(teacher):
    known = information([0.9, 0.4, 0.3], SHARED)
    unknown = SplitInformation(
        *(np.full_like(getattr(known, name), np.nan) for name in ("label", "p_value")),
        np.zeros_like(known.shared),
        np.full_like(known.margin, np.nan),
    )
    plan = plan_distillation(unknown, Distillation(teacher=teacher))
    assert plan.teachers.tolist() == [NOBODY]
    assert not plan.strength.any()


def test_the_plan_of_some_replicas():
    plan = Plan(np.arange(12).reshape(3, 2, 2) % 5 == 0, np.arange(6).reshape(3, 2))
    found = plan.take([2, 0, 0])
    assert np.array_equal(found.teachers, plan.teachers[[2, 0, 0]])
    assert found.strength.tolist() == [[4, 5], [0, 1], [0, 1]]


def test_soft_targets_are_the_mean_of_the_teachers_that_are_there(data):
    three = data.take([0, 1])
    n, classes = len(data.labels), data.classes
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 4, n, classes, generator=generator, dtype=torch.float64)
    available = torch.ones(2, n, 4, dtype=torch.bool)
    available[:, 0] = torch.tensor([True, False, True, True])  # the second teacher is not there
    available[:, 1] = torch.tensor([False, False, True, True])  # none of them is
    available[:, 2] = torch.tensor([True, True, False, True])  # the student is not
    three = replace(three, available=available)
    teachers = np.zeros((2, 4, 4), dtype=bool)
    teachers[0, 2, [0, 1]] = True
    plan = Plan(teachers, np.array([[0, 0, 0.4, 0], [0.0] * 4]))
    found = soft_targets(three, logits, plan, 2, Distillation(temperature=3))
    torch.testing.assert_close(found.logits[0, 3:], logits[0, :2, 3:].mean(dim=0))
    torch.testing.assert_close(found.logits[0, 0], logits[0, 0, 0])
    assert found.taught[0, :4].tolist() == [True, False, False, True]
    assert not found.taught[1].any()
    assert found.strength.tolist() == [0.4, 0.0]
    assert found.temperature == 3
    shift = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    shifted = soft_targets(three, logits, plan, 2, Distillation(), shift)
    torch.testing.assert_close(
        found.logits - shifted.logits, shift[:, None].expand(2, n, 3).double()
    )


@pytest.mark.parametrize(
    ("power", "adjustment", "left"), [(-0.5, 0, 0.5), (0, 0, 1), (-1, 0, 0), (0, 1, 0)]
)
def test_the_shift_of_class_balanced_targets_by_hand(data, power, adjustment, left):
    settings = Training(class_weight_power=power, logit_adjustment=adjustment)
    found = balanced_shift(data, settings)
    labels = data.labels.numpy()
    for replica, split in enumerate(data.splits):
        share = np.bincount(labels[split.train], minlength=3) / len(split.train)
        np.testing.assert_allclose(found[replica], left * np.log(share), atol=1e-12)


def test_class_balanced_targets_of_a_teacher_that_knows_only_frequencies_are_even(data):
    """The best constant logits of the weighted loss, shifted, favour no class."""
    settings = Training(class_weight_power=-0.5)
    labels = data.labels.numpy()
    share = np.bincount(labels[data.splits[0].train], minlength=3) / len(data.splits[0].train)
    learned = np.log(share * share**-0.5)
    even = learned - balanced_shift(data, settings)[0].numpy()
    np.testing.assert_allclose(even - even[0], 0, atol=1e-12)


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
    distillation = Distillation(teacher=Teacher.STRONGEST)
    plan = plan_distillation(known, distillation)
    return plan, pretrain(data, plan, MODEL, settings, distillation, silent)


def test_only_planned_students_learn_again(pretrained, data):
    planned, found = pretrained
    plan = plan_table(planned, data).dropna(subset=["teacher"])
    assert set(plan["student"]) == {"redundant"}
    assert set(plan["teacher"]) == {"strong"}
    assert set(plan["fold"]) == {0, 1}
    stages = found.training.groupby("stage")["modality"].unique()
    assert set(stages["teacher"]) == set(data.modalities)
    assert set(stages["student"]) == set(plan["student"])


def as_trained(network):
    """Return a network as if its parameters were the best ones."""
    kept = {name: value.detach()[None] for name, value in network.named_parameters()}
    return Trained(network, dict(network.named_buffers()), kept, [])


def test_students_that_nobody_teaches_stay_as_they_were(pretrained, data):
    nobody = Plan(np.zeros((3, 4, 4), dtype=bool), np.zeros((3, 4)))
    settings = Training(epochs=8, patience=8, learning_rate=0.02)
    alone = pretrain(data, nobody, MODEL, settings, Distillation(), silent)
    assert plan_table(nobody, data)["teacher"].isna().all()
    assert set(alone.training["stage"]) == {"teacher"}
    for name, value in pretrained[1].parameters.items():
        taught = name.startswith("ready/redundant/")
        same = [torch.equal(value[r], alone.parameters[name][r]) for r in range(3)]
        assert same == [not taught, not taught, True], name


def test_several_teachers_are_named_in_the_plan(data):
    names = list(data.modalities)
    wanted = Distillation(teacher=Teacher.ENSEMBLE)
    plan = plan_distillation(information(CROWD_LABEL, CROWD, replicas=3), wanted)
    found = plan_table(plan, data)
    assert tuple(found) == TABLES["plan"].names
    told = found[found["fold"] == 1].set_index("student")["teacher"]
    assert told[names[1]] == f"{names[0]}+{names[2]}"
    assert told[names[2]] == f"{names[0]}+{names[1]}"
    assert told[[names[0], names[3]]].isna().all()


def test_the_plan_names_every_fold_once_whatever_the_number_of_members(ensemble):
    nobody = Plan(np.zeros((9, 4, 4), dtype=bool), np.zeros((9, 4)))
    found = plan_table(nobody, ensemble)
    assert not found.duplicated(["repeat", "fold", "student"]).any()
    assert len(found) == 12


@pytest.mark.parametrize("teacher", [Teacher.ENSEMBLE, Teacher.CLASS_BALANCED])
def test_students_of_several_teachers_learn_otherwise(data, teacher):
    plan = plan_distillation(
        information(CROWD_LABEL, CROWD, replicas=3), Distillation(teacher=Teacher.ENSEMBLE)
    )
    settings = Training(epochs=3)
    one, other = (
        pretrain(data, plan, MODEL, settings, Distillation(teacher=kind), silent).parameters
        for kind in (Teacher.STRONGEST, teacher)
    )
    taught = tuple(f"ready/{name}/" for name in data.modalities[1:3])
    for name, value in one.items():
        differs = teacher is Teacher.CLASS_BALANCED and name.startswith(taught)
        assert torch.equal(value, other[name]) is not differs, name


def test_the_whole_network_starts_from_the_pretrained_modalities(pretrained, data):
    network = new_network(data, MODEL, 0, "whole")
    load_pretrained(network, pretrained[1].parameters)
    alone = new_network(data.only("weak"), MODEL, 0, "part")
    load_pretrained(alone, pretrained[1].parameters)
    index = data.modalities.index("weak")
    whole = predict(as_trained(network), data)[:, :, index]
    expected = predict(as_trained(alone), data.only("weak"))[:, :, 0]
    torch.testing.assert_close(whole, expected)
    start = new_network(data, MODEL, 0, "whole")
    assert (predict(as_trained(start), data)[:, :, index] - whole).abs().max() > 0.1


def test_a_modality_that_was_not_pretrained_is_named(pretrained, data):
    network = new_network(data, MODEL, 0, "whole")
    lacking = {k: v for k, v in pretrained[1].parameters.items() if not k.startswith("ready/weak/")}
    with pytest.raises(KeyError, match="weak"):
        load_pretrained(network, lacking)
