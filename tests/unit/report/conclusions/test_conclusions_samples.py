"""Which samples are missed, over numbers of classes and of samples."""

from itertools import product
from types import SimpleNamespace

import pytest

from balmi.report.conclusions.samples import MAX_NAMED, first_to_look_at, missed


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
    assert ("of class" in told) is any(hard)
    if several:
        assert f"of class {hard.index(max(hard))}: {max(hard)} of 10." in told


@pytest.mark.parametrize(
    ("unanimous", "listed"), list(product((0, 1, 2, 5, MAX_NAMED, MAX_NAMED + 1), (None, 25)))
)
def test_who_is_to_be_looked_at_first_is_named_or_stands_first(unanimous, listed):
    told = first_to_look_at(view((15, 15), unanimous, listed))
    if not unanimous:
        assert told is None
        return
    assert told.startswith(f"{unanimous} of {'them' if listed is None else 'the 25 listed'} ")
    few = unanimous <= MAX_NAMED
    assert ("the table below begins with them" in told) is not few
    names = ", ".join(f"s{place}" for place in range(unanimous - 1))
    last = f"s{unanimous - 1}. Look at these first."
    assert (f"alone: {' and '.join(filter(None, (names, last)))}" in told) is few
