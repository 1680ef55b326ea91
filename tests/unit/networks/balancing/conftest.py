import pytest
from balancing_driver import make_case


@pytest.fixture
def case():
    """Return two replicas of three modalities with two joint heads."""
    return make_case()
