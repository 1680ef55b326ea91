"""Every way of calling Snakemake that the README shows, as a dry run in a fresh checkout."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.workflow

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SIMULATED = "datasets: {simulated: }\n"


def calls():
    """Return the arguments of every call of Snakemake, in code blocks and in the text."""
    found = re.findall(r"(?:\.venv/bin/|--name balmi )snakemake(?![-\w])([^`#\n]*)", README)
    return list(dict.fromkeys(call.strip() for call in found))


def test_the_readme_shows_the_paths_of_laptop_conda_and_cluster():
    shown = " ".join(calls())
    assert "" in calls()
    for each in ("--configfile my.yaml", "--sdm conda", "--workflow-profile", "--report"):
        assert each in shown


@pytest.mark.parametrize("call", [call for call in calls() if "--report" not in call])
def test_a_call_of_the_readme_plans_what_it_says(fresh, call):
    for name in ("my.yaml", "simulated.yaml"):
        (fresh.folder / name).write_text(SIMULATED, encoding="utf-8")
    if "conda" in call and shutil.which("conda") is None:
        pytest.skip("no conda, which Snakemake asks for its version before it plans")
    arguments = shlex.split(call.replace("my-cohort", "simulated"))
    own = [] if "--configfile" in arguments else ["--configfile", "config/config.yaml"]
    done = fresh.snakemake("-n", *own, *arguments, check=False)
    assert done.returncode == 0, done.text
    if "--unlock" not in arguments:
        assert "build_report" in done.text


def test_snakemake_without_arguments_asks_for_no_cores(fresh):
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--", "no-such-file"],
        cwd=fresh.folder,
        capture_output=True,
        text=True,
    )
    # Without a number of cores Snakemake would end before it looks for the file.
    assert "No rule to produce no-such-file" in done.stdout + done.stderr
