"""A synthetic cohort and its tables, for the sections that come of probes and networks."""

import pytest
from synthetic_report import Names, make_cohort
from synthetic_robustness import PROBED, robustness_tables


@pytest.fixture(scope="module")
def cohort():
    return make_cohort(Names())


@pytest.fixture
def tables(cohort):
    return robustness_tables(cohort, PROBED)
