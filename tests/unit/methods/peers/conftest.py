"""Forests of few trees for the tests of the peers."""

import pytest

from balmi.methods.peers import early


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    """Grow forests of 40 trees: 500 change nothing that is tested, and take ten times as long."""
    monkeypatch.setattr(early, "TREES", 40)
