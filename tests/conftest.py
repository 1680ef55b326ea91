"""One end-to-end run of the simulated cohort, and which tests one process runs together."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest
from planning import plan

ROOT = Path(__file__).parents[1]
OF_FINISHED = {
    "tests/browser/test_run.py",
    "tests/contract/test_contracts.py",
    "tests/workflow/test_end_to_end.py",
    "tests/workflow/test_prediction.py",
    "tests/workflow/test_readme.py",
}
# Synthetic datasets are evaluated once per process, which takes longer than most tests of them.
OF_SYNTHETIC = ("tests/unit/report/", "tests/browser/test_pages.py")
# What takes longest begins first, or one process would end long after the others.
LONGEST = (
    "finished",
    "synthetic",
    "tests/workflow/test_modules.py",
    "tests/workflow/test_lacking_and_damaged.py",
    "tests/unit/information/test_information_measure.py",
    "tests/workflow/test_study.py",
    "tests/workflow/test_reruns.py",
    "tests/workflow/test_interrupted.py",
    "tests/unit/networks/test_networks_trainer.py",
    "tests/workflow/test_command_line.py",
    "tests/unit/networks/test_networks_checkpoint.py",
)
CONFIG = """
datasets:
  simulated:
    catalogue: simulated
    simulate: {samples: 150, features: 12}
evaluation: {repeats: 2, folds: 3}
training: {epochs: 25}
robustness: {shares: [0.1, 0.5]}
information: {permutations: 19}
advanced: {evaluation: {seed: 20}, information: {fold_permutations: 19, folds: 3}}
"""
# Constants of the library that say how much is computed, and not what: most of the time of a run
# goes into trees and deals to folds, of which a few show as well that the parts fit together. A
# forest that is judged out of its bags needs forty trees, or it warns.
FEWER = {
    "information/deals.py": {"INNER_FOLDS": 3},
    "information/members.py": {"TREES": 5, "FOREST": 5},
    "information/study.py": {"MOST_DEALS": 1},
    "information/pairs.py": {"JACKKNIFE_GROUPS": 6},
    "methods/pooled/learners.py": {"TREES": 40, "JUDGING_TREES": 5},
    "methods/peers/side.py": {"INNER_FOLDS": 3},
    "methods/peers/early.py": {"TREES": 40},
    "report/kit/figures.py": {"SCALE": 1},
}


@dataclass
class Checkout:
    """A copy of the checkout in a folder of its own, in which Snakemake can be run."""

    folder: Path

    def snakemake(self, *arguments, check=True, **environment):
        """Run Snakemake with the test's configuration and return the finished process."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *map(str, arguments)]
        if "--configfile" not in command:
            command += ["--configfile", "test.yaml"]
        environment = {**os.environ, **environment}
        if "-n" in arguments:
            done = plan(command, self.folder, environment)
        else:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
        done.text = done.stdout + done.stderr
        assert not check or done.returncode == 0, done.text
        return done

    def planned(self, *arguments):
        """Return the rules that a dry run would run."""
        return self.rules_in(self.snakemake("-n", *arguments).text)

    def rules_in(self, text):
        """Return the rules in what a dry run has said."""
        names = {path.stem for path in (self.folder / "workflow" / "scripts").glob("*.py")}
        table = text.partition("Job stats:")[2].partition("total")[0]
        return {line.split()[0] for line in table.splitlines() if line.strip()} & names


def copy_checkout(folder):
    """Return a copy of the checkout whose library computes less, and is the same otherwise."""
    for name in ("workflow", "config", "envs"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for file, numbers in FEWER.items():
        path = folder / "workflow" / "balmi" / file
        text = path.read_text(encoding="utf-8")
        for name, number in numbers.items():
            text, found = re.subn(rf"(?m)^{name} = \d+$", f"{name} = {number}", text)
            assert found == 1, f"{file} has no {name} any more, or two"
        path.write_text(text, encoding="utf-8")
    (folder / "test.yaml").write_text(CONFIG, encoding="utf-8")
    return Checkout(folder)


def group_of(nodeid):
    """Return what one process runs as a whole: a file, or files that share what takes long."""
    file = nodeid.split("::", 1)[0]
    if file in OF_FINISHED:
        return "finished"
    return "synthetic" if file.startswith(OF_SYNTHETIC) else file


def pytest_collection_modifyitems(items):
    """Put the longest groups first; the order within a group stays."""
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(group_of(item.nodeid), len(ranks)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Deal tests out by group, in the order in which they were collected.

    Marks of groups would say the same; pytest 9 no longer hands them on.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group_of(nodeid)

    config.option.loadscopereorder = False  # it goes by the number of tests, not by their time
    return ByGroup(config, log)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Return a checkout in which the simulated cohort was run to the end."""
    checkout = copy_checkout(tmp_path_factory.mktemp("checkout"))
    checkout.first = checkout.snakemake()
    return checkout


@pytest.fixture(scope="session")
def bundle(finished):
    """Return the archive into which Snakemake has packed the pages of the finished run."""
    finished.snakemake("--report", "report.zip")
    return finished.folder / "report.zip"


@pytest.fixture
def few_trees(monkeypatch):
    """Let the library grow as few trees as in a copy of the checkout."""
    for file, numbers in FEWER.items():
        module = import_module(f"balmi.{file.removesuffix('.py').replace('/', '.')}")
        for name in numbers.keys() - {"INNER_FOLDS"}:  # tests work out by hand who is in which
            monkeypatch.setattr(module, name, numbers[name])


@pytest.fixture
def fresh(tmp_path):
    """Return a checkout in which nothing was run."""
    return copy_checkout(tmp_path / "checkout")
