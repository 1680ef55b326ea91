"""Names of several modalities, which tables write and pages read."""

import pytest

from balmi.data.together import apart, together


@pytest.mark.parametrize(
    ("modalities", "name"), [([], ""), (["rna"], "rna"), (["rna", "a b", "x.2_-"], "rna+a b+x.2_-")]
)
def test_a_name_is_of_its_modalities_and_gives_them_back(modalities, name):
    assert together(modalities) == name
    assert apart(name) == modalities
