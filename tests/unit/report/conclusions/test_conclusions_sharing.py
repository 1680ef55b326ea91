"""How information is shared: over the whole range of balance, shares and standing."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace

from balmi.report.conclusions.sharing import (
    SPREAD,
    Spread,
    Standing,
    above_chance,
    redundancy,
    spread,
    spread_of,
)
from balmi.report.kit.amounts import Amount
from balmi.report.sections.information.decomposition import Parts, Share

POINTS = (0.1, 0.4, 0.5, 0.7, 0.94, 0.95, 1.0)
STANDINGS = [
    Standing(strongest, strongest is not None or separable, informative)
    for strongest, separable, informative in product(
        (None, "rna", "mirna"), (True, False), (True, False)
    )
]
SHARES = [
    tuple(
        Share(name, Amount(value, value - 0.05, value + 0.05), share(value), 90)
        for name, value in (("rna", first), ("mirna", second))
    )
    for first, second in ((0.9, 0.1), (0.1, 0.9), (0.5, 0.5), (0.0, -0.1))
    for share in (lambda value: Amount(value, value - 0.05, value + 0.05), lambda _: None)
]


def test_the_sentence_agrees_with_what_stands_apart():
    limits = [(a, b) for a, b in product(POINTS, POINTS) if a <= b] + [(None, None)]
    seen = set()
    for (lower, upper), shares, standing in product(limits, [(), *SHARES], STANDINGS):
        amount = Amount(0.5, lower, upper)
        case, told = spread_of(amount, shares, standing), spread(amount, shares, standing)
        assert "{" not in told
        assert told.endswith(".")
        # One that stands apart is never told as even, nor what is alike as uneven.
        if "spread evenly over" in told:
            assert not standing.separable
        if "spread unevenly" in told:
            assert standing.separable
            assert upper < 0.95
        if "carried mostly by one" in told:
            share = next(row.share for row in shares if row.modality == standing.strongest)
            assert f"one modality, {standing.strongest} (9" in told
            assert share.lower > 0.5
            assert upper <= 0.5
        if "nearly even" in told:
            assert lower >= 0.95
            assert standing.separable
            assert (standing.strongest or "some know more") in told
        assert ("is shown to carry information" in told) == (not standing.informative)
        if lower is None and standing.informative:
            assert "not settled" in told
        seen.add(case)
    assert seen == set(Spread) == set(SPREAD)


def row(name: str, exceeds: bool | None, p: float | None = 0.01) -> SimpleNamespace:
    return SimpleNamespace(modality=name, exceeds=exceeds, p=p)


def test_who_is_above_chance_is_told_of_nobody_else():
    for first, second in product((True, False, None), repeat=2):
        told = above_chance((row("rna", first), row("mirna", second)), 2)
        if (first, second) == (True, True):
            assert told == "Every modality exceeds what permuted labels give (p at most 0.010)."
        elif False in (first, second):
            names = [n for n, each in (("rna", first), ("mirna", second)) if each is False]
            assert told.startswith(
                f"Not above what permuted labels give: {' and '.join(names)}. No information"
            )
        else:
            assert told is None
    assert above_chance((row("rna", True),), 2).startswith("Every modality with enough samples")


def test_what_is_unique_is_told_where_it_is_shown():
    for exceeds, lower in product((True, False, None), (-0.1, 0.1)):
        both, alone = Amount(0.1, 0.05, 0.15), Amount(0.2, lower, 0.3)
        parts = Parts("rna", "mirna", False, both, alone, None, None, 90)
        told = redundancy(row("rna", exceeds), parts)
        if exceeds is False:
            assert told is None
            continue
        assert told.startswith("Of what rna carries, 0.100 (0.050 to 0.150) nats are shared with")
        assert ("nothing is shown to be unique to it" in told) == (lower < 0)
    assert redundancy(row("rna", True), None) is None
