"""Forests of few trees for the tests of the peers."""

import pytest


@pytest.fixture(autouse=True)
def _few_trees(few_trees):
    """Grow few trees: more change nothing that is tested, and take ten times as long."""
