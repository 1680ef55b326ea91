"""What a notebook meets: names at the top of the package, and a page whose code runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import balmi
from balmi.data.cohort import write_cohort

ROOT = Path(__file__).parents[2]
CODE = re.findall(r"```python\n(.*?)```", (ROOT / "docs/notebook.md").read_text("utf-8"), re.S)


@pytest.mark.parametrize("name", balmi.__all__)
def test_names_are_what_they_are_at_home(name):
    found = getattr(balmi, name)
    assert found.__name__ == name
    assert found is getattr(sys.modules[found.__module__], name)
    assert name in dir(balmi)


def test_a_name_that_is_not_there_is_told():
    with pytest.raises(AttributeError, match="module 'balmi' has no attribute 'red_cohort'"):
        _ = balmi.red_cohort


def test_the_package_alone_imports_nothing_heavy():
    """The driver imports it, on machines that may have neither torch nor scanpy."""
    text = "import sys, balmi; print(sorted({'torch', 'scanpy', 'pandas'} & set(sys.modules)))"
    code = [sys.executable, "-c", f"import sys; sys.path.insert(0, 'workflow'); {text}"]
    done = subprocess.run(code, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_page_runs_as_it_stands(plain_cohort, tmp_path, monkeypatch):
    write_cohort(plain_cohort, tmp_path / "results/simulated/cohort.h5mu")
    monkeypatch.chdir(tmp_path)
    space = {}
    for block in CODE[1:]:
        exec(compile(block, "docs/notebook.md", "exec"), space)
    methods = set(space["outcomes"].predictions["method"])
    assert {"pooled", "unimodal-pooled"} <= methods
    assert {status.status for status in space["outcomes"].statuses} == {"ok"}
    assert set(space["tables"]["comparisons"]["reference"]) >= {"unimodal-pooled"}
