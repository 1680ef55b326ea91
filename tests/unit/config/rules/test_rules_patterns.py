"""Patterns of wildcards match names and nothing else."""

import re

from balmi.config.rules.patterns import any_of


def test_names_match_as_they_are():
    pattern = re.compile(any_of(["a.b", "c-d"]))
    assert pattern.fullmatch("a.b")
    assert pattern.fullmatch("c-d")
    assert not pattern.fullmatch("aXb")


def test_no_name_matches_nothing():
    assert not re.search(any_of([]), "")
    assert not re.search(any_of(iter(())), "a")
