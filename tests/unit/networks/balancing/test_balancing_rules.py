"""What every balancing rule keeps to."""

import copy

import pytest
import torch
from balancing_driver import Driver, make_case
from hypothesis import given
from hypothesis import strategies as st

from balmi.config.settings import Balancing
from balmi.networks.balancing import RULES

EVERY = pytest.mark.parametrize("balancing", list(Balancing))
SUM_IS_M = [
    *(Balancing.UNIFORM, Balancing.INFORMATION, Balancing.INVERSE, Balancing.GRADNORM),
]
LEARNED = {Balancing.GRADNORM, Balancing.KENDALL}


def own_rows(driver, replica):
    """Return a replica's parameters by name, without the rows of padding."""
    found = {}
    for name, parameter in [*driver.network.named_parameters(), *driver.rule.named_parameters()]:
        own = parameter[replica]
        parts = name.split(".")
        if parts[0] == "encoders" and parts[2:] == ["first", "weight"]:
            width = driver.case.shape.widths[int(parts[1])][replica]
            assert own[width:].count_nonzero() == 0
            own = own[:width]
        found[name] = own.detach()
    return found


def test_every_rule_of_the_configuration_exists():
    assert set(RULES) == set(Balancing)


@EVERY
def test_a_replica_alone_trains_as_in_company(balancing, case):
    together = Driver(case, balancing)
    for number in range(8):
        together.epoch(number)
    for replica in range(2):
        alone = Driver(case.alone(replica), balancing)
        for number in range(8):
            alone.epoch(number)
        expected = own_rows(together, replica)
        for name, value in own_rows(alone, 0).items():
            torch.testing.assert_close(value, expected[name], rtol=1e-9, atol=1e-11, msg=name)
        torch.testing.assert_close(alone.rule.weight[0], together.rule.weight[replica])


@EVERY
def test_a_replica_that_has_ended_leaves_the_other_as_it_is(balancing, case):
    both, first = Driver(case, balancing), Driver(case, balancing)
    first.active = torch.tensor([True, False])
    for driver in (both, first):
        driver.epoch(0)
        driver.epoch(1)
    expected = own_rows(both, 0)
    for name, value in own_rows(first, 0).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-9, atol=1e-11, msg=name)


@EVERY
def test_a_replica_that_has_ended_gets_no_gradient(balancing, case):
    driver = Driver(case, balancing)
    driver.active = torch.tensor([True, False])
    for gradient in driver.gradients()[2].values():
        assert gradient[1].count_nonzero() == 0


@EVERY
@pytest.mark.parametrize(
    ("modalities", "fusions"), [(1, ("mean",)), (1, ()), (2, ("gate",)), (4, ("information",))]
)
def test_any_number_of_modalities_and_joint_heads_trains(balancing, modalities, fusions):
    driver = Driver(make_case(modalities, fusions), balancing)
    for number in range(8):
        driver.epoch(number, steps=1)
    for parameter in driver.network.parameters():
        assert torch.isfinite(parameter).all()
        assert torch.isfinite(parameter.grad).all()
    assert torch.isfinite(driver.rule.weight).all()


@pytest.mark.parametrize("balancing", sorted(set(Balancing) - {Balancing.MMPARETO, *LEARNED}))
def test_one_modality_weighs_1_all_the_time(balancing):
    driver = Driver(make_case(1), balancing)
    for number in range(8):
        driver.epoch(number)
    if balancing is not Balancing.G_BLENDING:  # which weighs the joint heads as well
        torch.testing.assert_close(driver.rule.weight, torch.ones(2, 1).double())


@EVERY
@pytest.mark.parametrize("absent", [0, 2])
def test_a_modality_that_nobody_has_gets_no_gradient(balancing, absent, case):
    driver = Driver(case.without(absent), balancing)
    for number in range(3):
        driver.epoch(number)
    _, loss, _ = driver.gradients()
    assert torch.isfinite(loss).all()
    for parameter in driver.network.modality_parameters(absent):
        assert parameter.grad.count_nonzero() == 0
    other = driver.network.encoders[1].second.weight.grad
    assert other.count_nonzero() > 0
    assert torch.isfinite(other).all()


@EVERY
def test_samples_without_weight_have_no_say(balancing, case):
    """On a graph a view also holds samples whose labels nobody may learn from."""
    drivers = [Driver(case, balancing), Driver(copy.deepcopy(case), balancing)]
    for driver in drivers:
        driver.case.weights[:, 2:4] = 0
    drivers[1].case.seen.labels[:, 2:4] = (drivers[1].case.seen.labels[:, 2:4] + 1) % 3
    for driver in drivers:
        driver.epoch(0)
        driver.epoch(1)
    for left, right in zip(*(driver.network.parameters() for driver in drivers), strict=True):
        torch.testing.assert_close(left, right, rtol=0, atol=0)


@EVERY
def test_a_loaded_state_goes_on_bit_equal(balancing, case):
    whole = Driver(case, balancing)
    for number in range(4):
        whole.epoch(number)
    parts = ("network", "rule", "optimiser")
    states = {part: copy.deepcopy(getattr(whole, part).state_dict()) for part in parts}
    resumed = Driver(case, balancing)
    for part in parts:
        getattr(resumed, part).load_state_dict(states[part])
    for source, other in zip(resumed.sources, whole.sources, strict=True):
        source.set_state(other.get_state())
    for driver in (whole, resumed):
        for number in range(4, 8):
            driver.epoch(number)
    for part in parts[:2]:
        expected = getattr(whole, part).state_dict()
        for name, value in getattr(resumed, part).state_dict().items():
            assert torch.equal(value, expected[name]), name


@EVERY
def test_all_that_a_rule_remembers_has_a_replica_axis(balancing, case):
    driver = Driver(case, balancing)
    driver.epoch(0)
    driver.epoch(1)
    assert all(len(value) == 2 for value in driver.rule.state_dict().values())


@given(
    st.sampled_from(SUM_IS_M),
    st.integers(1, 4),
    st.integers(0, 1000),
    st.floats(0.05, 5),
    st.floats(0, 0.95),
)
def test_weights_are_not_negative_and_sum_to_the_number_of_modalities(
    balancing, modalities, seed, temperature, smoothing
):
    driver = Driver(
        make_case(modalities, seed=seed),
        balancing,
        balancing_temperature=temperature,
        balancing_smoothing=smoothing,
    )
    for number in range(3):
        driver.epoch(number, steps=1)
        weight = driver.rule.weight
        assert (weight >= 0).all()
        torch.testing.assert_close(weight.sum(dim=1), torch.full((2,), modalities).double())
