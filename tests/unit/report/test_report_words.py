"""Numbers as the page prints them: as many digits as their interval bears."""

from __future__ import annotations

import pytest

from balmi.data.together import together
from balmi.numerals import MISSING, beside, limits, places_of, signed, with_limits
from balmi.report.kit.amounts import Amount
from balmi.report.kit.words import combination, percent


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ((0.846, 0.785, 0.908), "0.846 (0.785 to 0.908)"),  # half a width of .062
        ((0.8, 0.6512, 0.9), "0.80 (0.65 to 0.90)"),  # .12
        ((1.44, -0.5, 3.3), "1.4 (−0.5 to 3.3)"),  # 1.9
        ((140.2, 100.0, 180.0), "140.2 (100.0 to 180.0)"),
        ((0.0017, -0.0029, 0.0066), "0.0017 (−0.0029 to 0.0066)"),  # .0048
        ((0.00012, 0.00011, 0.00013), "0.0001 (0.0001 to 0.0001)"),  # four decimals at the most
        ((0.5, 0.5, 0.5), "0.500 (0.500 to 0.500)"),
        ((1e-6, -2e-6, 4e-5), "0.000 (0.000 to 0.000)"),  # nothing that four decimals show
        ((0.5, None, None), "0.500"),
        ((None, None, None), MISSING),
    ],
)
def test_an_interval_has_two_significant_digits_of_its_half_width(numbers, told):
    assert with_limits(*numbers) == told


def test_a_limit_beside_zero_does_not_read_as_zero():
    assert with_limits(0.1, 0.001, 0.3, signed) == "+0.100 (+0.001 to +0.300)"
    assert limits(-0.00002, 0.3, signed) == "−0.00 to +0.30"
    assert limits(0.0, 0.3) == "0.00 to 0.30"


def test_a_value_apart_from_its_limits_has_their_digits():
    assert beside(0.8, 0.6512, 0.9) == "0.80"
    assert beside(None, None, None) == MISSING
    assert beside(0.514, 0.2, 0.8, percent) == percent(0.514)
    assert places_of(0.6512, 0.9) == 2


@pytest.mark.parametrize(("lower", "shown"), [(0.0004, True), (0.00001, False), (-0.1, False)])
def test_what_is_shown_is_above_zero_at_the_digits_that_are_printed(lower, shown):
    assert Amount(0.002, lower, 0.004).shown is shown


@pytest.mark.parametrize("reverse", [False, True])
def test_a_combination_is_named_whatever_the_order_of_its_modalities(reverse):
    five = ("rna", "cnv", "protein", "mirna", "acetyl")

    def named(*parts):
        return combination(together(parts[:: -1 if reverse else 1]), five)

    assert named(*five) == "all modalities"
    assert named("rna", "cnv", "protein", "mirna") == "all but acetyl"
    assert named("rna", "protein", "mirna") == "all but cnv and acetyl"
    assert named("rna", "mirna") == ("mirna + rna" if reverse else "rna + mirna")
    assert named("mirna") == "mirna"
    # Of three, and with more missing than are named, the list says more.
    assert combination("a+b", ("b", "a", "c")) == "a + b"
    assert combination("a+b+c", tuple("abcdef")) == "a + b + c"
