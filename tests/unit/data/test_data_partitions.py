import numpy as np
import pytest

from balmi.data.folds import check_dealt
from balmi.data.partitions import FEW_GROUPS, Structure, sets_of


def test_all_partitions_of_few_groups():
    """Stirling numbers of the second kind: S(5, 5) = 1, S(6, 5) = 15, S(8, 4) = 1,701."""
    for groups, folds, expected in [(5, 5, 1), (6, 5, 15), (FEW_GROUPS, 4, 1701)]:
        found = list(Structure(np.ones((groups, 2), dtype=int), folds).partitions())
        assert len({sets_of(each) for each in found}) == len(found) == expected


def test_held_learnable_and_unevenness_by_hand():
    structure = Structure(np.array([[2, 0], [2, 1], [0, 3]]), 2)
    partition = np.array([0, 0, 1])
    assert structure.held(partition).tolist() == [[4, 1], [0, 3]]
    assert not structure.learnable(partition)  # all of the first class lie in fold 0
    partition = np.array([0, 1, 1])
    assert not structure.learnable(partition)
    partition = np.array([0, 1, 0])
    assert structure.held(partition).tolist() == [[2, 3], [2, 1]]
    assert structure.learnable(partition)
    # Shares are 1/2 and 1/2, and 3/4 and 1/4: standard deviations 0 and 1/4.
    assert structure.unevenness(partition) == pytest.approx(0.125)
    assert not structure.learnable(np.zeros(3, dtype=int))


def test_names_of_folds_do_not_matter():
    assert sets_of(np.array([0, 1, 0])) == sets_of(np.array([1, 0, 1])) == {(0, 2), (1,)}


def odd_circle(count):
    """Return labels and groups: class i has a sample in group i and one in the next."""
    labels = np.repeat(np.arange(count), 2)
    groups = np.array([[i, (i + 1) % count] for i in range(count)]).ravel()
    return labels, groups


@pytest.mark.parametrize("count", [3, 9])
def test_groups_that_cannot_be_dealt_are_refused(count):
    """Two folds cannot tell an odd circle's neighbours apart."""
    (problem,) = check_dealt(*odd_circle(count), 2, "datasets.own.group", "other groups")
    assert f"{count} groups; no way was found to deal them to 2 test folds" in problem.found
    assert problem.where == "datasets.own.group"


@pytest.mark.parametrize("count", [4, 10, 12])
def test_an_even_circle_can_be_dealt(count):
    assert not check_dealt(*odd_circle(count), 2, "datasets.own.group", "other groups")
