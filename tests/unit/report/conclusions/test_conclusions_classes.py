"""Which class is failed most, over numbers of classes and their scores."""

from itertools import product
from types import SimpleNamespace

import pytest

from balmi.report.conclusions.classes import hardest
from balmi.report.sections.performance.scores import Score

MEANS = (None, 0.0, 0.4, 0.9)


@pytest.mark.parametrize(
    "means", [each for size in (1, 2, 3) for each in product(MEANS, repeat=size)]
)
def test_the_class_of_the_lowest_known_score_is_named(means):
    key, other = ("recall", "f1") if len(means) == 2 else ("f1", "recall")
    classes = [
        SimpleNamespace(name=f"c{place}", scores={key: score(mean), other: score(1 - place / 9)})
        for place, mean in enumerate(means)
    ]
    told = hardest(SimpleNamespace(method="pooled", classes=classes))
    known = [mean for mean in means if mean is not None]
    assert bool(told) is (len(set(known)) > 1)
    if told:
        assert f" by pooled: c{means.index(min(known))}, " in told
        assert ("recall" in told) is (len(means) == 2)
        brief = hardest(SimpleNamespace(method="pooled", classes=classes), short=True)
        assert brief.endswith(f" {told.split(': ')[1].rstrip('.')}")
        assert "pooled" not in brief


def score(mean):
    return Score(mean, None, None, 25)


def test_nothing_is_named_without_a_method():
    assert hardest(None) == ""
