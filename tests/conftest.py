"""One end-to-end run of the simulated cohort, from a copy of the checkout."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OF_FINISHED = {
    "tests/browser/test_pages.py",
    "tests/contract/test_contracts.py",
    "tests/workflow/test_end_to_end.py",
}
CONFIG = """
datasets:
  simulated:
    catalogue: simulated
    simulate: {samples: 150, features: 12}
evaluation: {repeats: 2, folds: 3, seed: 20}
training: {epochs: 25}
information: {permutations: 19, fold_permutations: 19}
"""


@dataclass
class Checkout:
    """A copy of the checkout in a folder of its own, in which Snakemake can be run."""

    folder: Path

    def snakemake(self, *arguments, check=True, **environment):
        """Run Snakemake with the test's configuration and return the finished process."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *map(str, arguments)]
        if "--configfile" not in command:
            command += ["--configfile", "test.yaml"]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        done.text = done.stdout + done.stderr
        assert not check or done.returncode == 0, done.text
        return done

    def planned(self, *arguments):
        """Return the rules that a dry run would run."""
        text = self.snakemake("-n", *arguments).text
        names = {path.stem for path in (self.folder / "workflow" / "scripts").glob("*.py")}
        table = text.partition("Job stats:")[2].partition("total")[0]
        return {line.split()[0] for line in table.splitlines() if line.strip()} & names


def copy_checkout(folder):
    for name in ("workflow", "config", "envs"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    (folder / "test.yaml").write_text(CONFIG, encoding="utf-8")
    return Checkout(folder)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Deal tests out by file, and all that look at the finished run as one, so that it runs once.

    Marks of groups would say the same; pytest 9 no longer hands them on.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.split("::", 1)[0]
            return "finished" if file in OF_FINISHED else file

    return ByFile(config, log)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Return a checkout in which the simulated cohort was run to the end."""
    checkout = copy_checkout(tmp_path_factory.mktemp("checkout"))
    checkout.first = checkout.snakemake()
    return checkout


@pytest.fixture
def fresh(tmp_path):
    """Return a checkout in which nothing was run."""
    return copy_checkout(tmp_path / "checkout")
