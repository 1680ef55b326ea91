"""Which samples are missed, over numbers of classes and of samples."""

from itertools import product
from types import SimpleNamespace

import pytest

from balmi.report.conclusions.samples import first_to_look_at, missed


def view(hard: tuple[int, ...], unanimous: int = 0, listed: int | None = None) -> SimpleNamespace:
    """Return a view of classes of ten samples, of which so many are missed by every method."""
    lanes = [
        SimpleNamespace(name=f"class {place}", hard=each, samples=10)
        for place, each in enumerate(hard)
    ]
    rows = [SimpleNamespace(name=f"s{n}", unanimous=n < unanimous) for n in range(sum(hard))]
    return SimpleNamespace(
        lanes=lanes,
        hard=rows[:listed],
        hard_samples=sum(hard),
        samples=10 * len(hard),
        everyone="both methods",
    )


@pytest.mark.parametrize("hard", list(product((0, 1, 7, 10), repeat=3)))
def test_the_class_that_is_named_has_the_largest_share(hard):
    told = missed(view(hard))
    assert told.endswith(".")
    assert (told == "Each of the 30 samples is right by at least one method.") is not any(hard)
    if any(hard):
        assert told.startswith(f"{sum(hard)} of 30 samples (")
        assert (" is missed by" in told) is (sum(hard) == 1)
    several = sum(each > 0 for each in hard) > 1
    assert ("the largest share is of" in told) is several
    if several:
        assert f"of class {hard.index(max(hard))}: {max(hard)} of 10." in told


@pytest.mark.parametrize(("unanimous", "listed"), list(product(range(6), (None, 5))))
def test_at_most_three_are_named_and_the_rest_are_counted(unanimous, listed):
    told = first_to_look_at(view((4, 3), unanimous, listed))
    if not unanimous:
        assert told is None
        return
    assert told.startswith(f"{unanimous} of {'them' if listed is None else 'the 5 listed'} ")
    assert ("s3" in told) is False
    assert (f", and {unanimous - 3} more" in told) is (unanimous > 3)
    assert told.endswith("Look at these first.")
