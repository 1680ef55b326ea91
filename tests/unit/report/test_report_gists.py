"""The sentences of closed sections."""

from types import SimpleNamespace

import pytest

from balmi.report.gists import GISTS
from balmi.report.kit.metrics import metric_of
from balmi.report.sections.performance.scores import Score


def performance(**scores: dict[str, float | None]) -> SimpleNamespace:
    """Return a view whose classes have these scores."""
    classes = [
        SimpleNamespace(
            name=name,
            scores={
                key: Score(
                    mean, None if mean is None else mean - 0.1, None if mean is None else 1.0, 25
                )
                for key, mean in each.items()
            },
        )
        for name, each in scores.items()
    ]
    best = SimpleNamespace(name="pooled", scores={"macro_f1": Score(0.8, 0.7, 0.9, 25)})
    view = SimpleNamespace(
        methods=(best,),
        metric=metric_of("macro_f1"),
        closeup=SimpleNamespace(method="pooled", classes=classes),
    )
    return SimpleNamespace(performance=view)


def test_of_two_classes_the_lower_recall_is_named():
    case = {"f1": 0.4, "recall": 0.6}, {"f1": 0.5, "recall": 0.5}
    told = GISTS["performance"](performance(case=case[0], control=case[1]))
    assert told.endswith("Lower recall of the two classes by pooled: control, 0.50 (0.40 to 1.00).")


def test_of_more_classes_the_lowest_f1_is_named():
    classes = {name: {"f1": f1, "recall": 0.9} for name, f1 in (("a", 0.9), ("b", 0.4), ("c", 0.5))}
    told = GISTS["performance"](performance(**classes))
    assert told.endswith("Lowest F1 of a class by pooled: b, 0.40 (0.30 to 1.00).")


@pytest.mark.parametrize("recalls", [(0.5, 0.5), (None, 0.5), (None, None)])
def test_no_class_is_named_where_none_is_known_to_be_lower(recalls):
    classes = {name: {"recall": each} for name, each in zip("ab", recalls, strict=True)}
    assert "Lower recall" not in GISTS["performance"](performance(**classes))
    assert "Lower recall" not in GISTS["performance"](performance())
