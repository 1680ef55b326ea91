"""The weight of a clone: what git tracks stays small, and what commands make again stays out."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GIT = shutil.which("git")
MOST = 5_000_000  # bytes of all files together
MOST_OF_ONE = 150_000
MADE_AGAIN = (".csv", ".parquet", ".h5mu", ".safetensors")


def tracked():
    """Return the files that git tracks, without those that a change has removed."""
    if GIT is None:
        pytest.skip("no git")
    command = [GIT, "-C", str(ROOT), "ls-files", "-z"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode or not done.stdout:
        pytest.skip("no checkout of git")
    paths = [ROOT / name for name in done.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_all_files_together_are_small():
    sizes = {path: path.stat().st_size for path in tracked()}
    largest = sorted(sizes, key=sizes.get)[-8:]
    told = ", ".join(f"{path.relative_to(ROOT)} {sizes[path]:,}" for path in largest)
    assert sum(sizes.values()) < MOST, f"the largest are {told}"


def test_no_file_is_large():
    assert [path for path in tracked() if path.stat().st_size > MOST_OF_ONE] == []


def test_no_table_of_results_is_tracked():
    results = [ROOT / "benchmarks" / "results", ROOT / "results"]
    files = [path for path in tracked() if set(results) & set(path.parents)]
    assert [path for path in files if path.suffix in MADE_AGAIN] == []
    assert any(path.suffix == ".md" for path in files)


def test_git_ignores_the_tables_of_benchmarks():
    tracked()
    table = "benchmarks/results/study.csv"
    assert subprocess.run([GIT, "-C", str(ROOT), "check-ignore", "-q", table]).returncode == 0
