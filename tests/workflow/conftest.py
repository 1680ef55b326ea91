"""A checkout with a small cohort of files."""

import pytest
from own_cohort import OWN, write_cohort


@pytest.fixture
def own(fresh):
    """Return a checkout with a cohort of files of one's own, and its configuration as test.yaml."""
    write_cohort(fresh.folder / "data")
    (fresh.folder / "test.yaml").write_text(OWN.format(folder="data/"), encoding="utf-8")
    return fresh
