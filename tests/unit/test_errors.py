import pickle

import numpy as np
import pytest

from balmi.errors import Problem, UserError, listing, nearest, shown


def test_problem_says_where_what_and_what_is_allowed():
    text = str(Problem("evaluation.folds", "1", "2 or more", "'2'"))
    assert text.splitlines() == [
        "evaluation.folds",
        "   found:   1",
        "   allowed: 2 or more",
        "   nearest: '2'",
    ]


def test_problem_without_nearest_says_nothing_of_it():
    assert "nearest" not in str(Problem("a", "b", "c"))


def test_user_error_of_one_problem():
    error = UserError(Problem("here", "this", "that"))
    assert str(error).startswith("balmi found 1 problem:\n\n1. here\n")
    assert error.problems == [Problem("here", "this", "that")]


def test_user_error_numbers_all_problems():
    text = str(UserError([Problem(f"key{i}", "x", "y") for i in range(3)]))
    assert text.startswith("balmi found 3 problems:")
    assert [line for line in text.splitlines() if line[:1].isdigit()] == [
        "1. key0",
        "2. key1",
        "3. key2",
    ]


def test_user_error_survives_a_process_boundary():
    error = UserError([Problem("here", "this", "that", "'there'")])
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    ("value", "allowed", "expected"),
    [
        ("repeets", ["folds", "repeats"], "'repeats'"),
        ("PAM50", ["pam50", "age"], "'pam50'"),
        ("pam50", ["PAM50"], "'PAM50'"),
        ("zzz", ["repeats"], None),
        (3, ["3", "4"], "'3'"),
        (["x"], ["y"], None),
        ("x", [], None),
    ],
)
def test_nearest(value, allowed, expected):
    assert nearest(value, allowed) == expected


def test_listing_shortens_beyond_sixteen():
    assert listing("abc") == "a, b, c"
    assert listing(range(15)).endswith("13, 14")
    assert (
        listing(range(100))
        == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, … (100 in all)"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\nb", r"'a\nb'"),
        (np.float64(1.5), "1.5"),
        (np.int64(3), "3"),
        (np.str_("x"), "np.str_('x')"),
        (None, "None"),
        ([1, 2], "[1, 2]"),
    ],
)
def test_shown(value, text):
    assert shown(value) == text


def test_shown_cuts_what_is_long():
    assert len(shown("x" * 10_000)) == 81
