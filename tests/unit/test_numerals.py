"""Counts with their nouns, and that every message takes them from here."""

import ast
import re
from pathlib import Path

import pytest

import balmi
from balmi.numerals import counted, counted_samples, inflected

LIBRARY = Path(balmi.__file__).parent
NOUNS = (
    "cell|class|column|epoch|feature|file|fold|group|id|method|modalit|name|network|pair|pattern"
    "|problem|repeat|replica|row|sample|value|warning"
)
# A number put before a noun in the plural: one of them would read "1 samples".
PLURAL = re.compile(rf"(^| )\0 ((?!of)[a-z-]+ )?({NOUNS})(s|es|ies)\b")


@pytest.mark.parametrize(
    ("count", "nouns", "said"),
    [
        (0, ("sample",), "0 samples"),
        (1, ("sample",), "1 sample"),
        (12345, ("sample",), "12,345 samples"),
        (1, ("class", "classes"), "1 class"),
        (2, ("class", "classes"), "2 classes"),
    ],
)
def test_a_noun_has_the_number_of_its_count(count, nouns, said):
    assert counted(count, *nouns) == said


def test_words_agree_with_a_count():
    assert [inflected(count, "is", "are") for count in (0, 1, 2)] == ["are", "is", "are"]
    which = "measured samples that the table of samples lacks"
    assert counted_samples(1, which) == "1 measured sample that the table of samples lacks"
    assert counted_samples(2, which) == f"2 {which}"


def formatted(node: ast.JoinedStr) -> str:
    """Return a formatted text with NUL in the place of every value."""
    parts = (part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
    return "".join(map(str, parts))


def plurals(text: str) -> list[str]:
    """Return formatted texts that put any number before a noun in the plural."""
    tree = ast.parse(text)
    raised = {id(part) for node in ast.walk(tree) if errs(node) for part in ast.walk(node)}
    texts = [
        formatted(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) and id(node) not in raised
    ]
    return [each for each in texts if PLURAL.search(each)]


def errs(node: ast.AST) -> bool:
    """Whether a statement raises an error of the code, which no user reads."""
    call = node.exc if isinstance(node, ast.Raise) else None
    name = getattr(getattr(call, "func", None), "id", "")
    return name in ("ValueError", "KeyError", "IndexError")


def test_a_plural_behind_a_number_is_seen():
    assert plurals('x = f"{n} samples are left"')
    assert plurals('x = f"in {n:,} training samples"')
    assert not plurals('x = f"{counted(n, noun)} and {n} of samples"')
    assert not plurals('raise ValueError(f"{n} samples are too few")')


# What follows the number in texts that are not written of one, or where no noun belongs to it.
ABOVE_ONE = (
    *("groups, or fewer evaluation.folds", "values holds measurements", "columns", "names every"),
    *("test folds so that every class", "repeats were asked for", "samples in a training part"),
    *("training samples, and would take", "modalities", "More would add", "methods"),
    *("pools networks", "pairs are", "ids begin alike"),
)


def test_no_message_counts_in_the_plural_alone():
    found = [
        f"{path.relative_to(LIBRARY)}: {text}"
        for path in sorted(LIBRARY.rglob("*.py"))
        for text in plurals(path.read_text(encoding="utf-8"))
    ]
    assert [text for text in found if not any(each in text for each in ABOVE_ONE)] == []
    assert [each for each in ABOVE_ONE if not any(each in text for text in found)] == []
