"""Measure processor seconds and peak memory of every job of the workflow, by the size of a cohort.

Run it by ``make benchmark-scale``, or from the root of the repository::

    PYTHONPATH=workflow .venv/bin/python benchmarks/scale.py --axis n --largest 5000
    PYTHONPATH=workflow .venv/bin/python benchmarks/scale.py --summary

Every size goes through the whole workflow in a folder of its own, with one repeat of five folds and
everything else as by default. `usage/sitecustomize.py` notes what each job took. An interrupted run
continues: finished sizes are skipped unless the code has changed, and finished jobs by Snakemake.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from balmi.config.fingerprint import code_hash
from balmi.data.files import replace_when_written
from checksums import enough, needed, record
from scale_cohorts import AXES
from scale_summary import summarise
from usage.sitecustomize import DRIVER, FILE

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
TABLE, SUMMARY, USAGE = "scale.csv", "scale.md", "usage.jsonl"
COMMAND = "make benchmark-scale"
COLUMNS = ("axis", "size", "job", "seconds", "user", "system", "peak_mb", "code")
NAME = "scale"  # of the dataset
FOLDS = {"repeats": 1, "folds": 5}


def code() -> str:
    """Return a hash of the library's code behind all scripts."""
    scripts = sorted((ROOT / "workflow" / "scripts").glob("*.py"))
    return hashlib.sha256("".join(map(code_hash, scripts)).encode()).hexdigest()[:12]


def read_usage(path: Path) -> pd.DataFrame:
    """Return what every job took, in the order in which they ended.

    Parameters
    ----------
    path
        The file that `usage/sitecustomize.py` appended to. Of a job that was started again the last
        line counts; the driver's starts count together.
    """
    lines = pd.read_json(path, lines=True, dtype={"job": str})
    jobs = lines[lines["job"] != DRIVER].drop_duplicates("job", keep="last")
    driver = lines[lines["job"] == DRIVER]
    together = {"job": "first", "user": "sum", "system": "sum", "peak_mb": "max"}
    found = pd.concat([jobs, driver.groupby("job").agg(together)], ignore_index=True)
    return found.assign(seconds=found["user"] + found["system"])


def run_workflow(axis: str, size: int, folder: Path) -> None:
    """Take one size through the workflow, from where an earlier start was interrupted.

    Parameters
    ----------
    axis, size
        What grows, and how far.
    folder
        Where the cohort and the results are written.

    Raises
    ------
    SystemExit
        Where a job fails: what it said stands above.
    """
    plan, file = AXES[axis], folder / "config.yaml"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        settings = {"datasets": {NAME: plan.dataset(size, folder)}, "evaluation": FOLDS}
        with replace_when_written(file) as part:
            part.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    targets = [] if size <= plan.whole else [f"results/{NAME}/cohort.h5mu"]
    command = [Path(sys.executable).with_name("snakemake"), *targets, "--cores", "1"]
    command += ["--snakefile", ROOT / "workflow" / "Snakefile", "--directory", folder]
    command += ["--configfile", file]
    noting = str(Path(__file__).parent / "usage")
    environment = os.environ | {FILE: str(folder / USAGE), "PYTHONPATH": noting}
    if subprocess.run(command, env=environment).returncode:
        sys.exit(f"{axis} = {size:,} did not finish; the same command continues it in {folder}")


def read_results(path: Path) -> pd.DataFrame:
    """Return all rows that were kept, or none."""
    return pd.read_csv(path) if path.is_file() else pd.DataFrame(columns=COLUMNS)


def run(plan: list[tuple[str, int]], path: Path, folder: Path, keep: bool = False) -> None:
    """Run the sizes that a table lacks, and append the jobs of each when it is done.

    Parameters
    ----------
    plan
        Axes and sizes, in the order in which they are run.
    path
        The table.
    folder
        Where each size has a folder of its own.
    keep
        Whether such a folder stays when its size is done.
    """
    today = code()
    for axis, size in plan:
        found = read_results(path)
        same = (found["axis"] == axis) & (found["size"] == size) & (found["code"] == today)
        if same.any():
            continue
        print(f"scale: {axis} = {size:,}", flush=True)  # the command's own output
        own = folder / f"{axis}-{size}"
        run_workflow(axis, size, own)
        rows = read_usage(own / USAGE).assign(axis=axis, size=size, code=today)
        rows = rows[list(COLUMNS)].round(3)
        with replace_when_written(path) as part:
            pd.concat([found, rows] if len(found) else [rows]).to_csv(part, index=False)
        if not keep:
            shutil.rmtree(own)


def main() -> None:
    """Run what is asked for, and write the table and its summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--axis", nargs="+", choices=list(AXES), default=list(AXES))
    parser.add_argument("--largest", type=int, help="leave out larger sizes")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="where the tables are written")
    parser.add_argument(
        "--scratch", type=Path, default=Path("results/benchmark-scale"), help="where sizes are run"
    )
    parser.add_argument("--keep", action="store_true", help="keep the results of every size")
    parser.add_argument("--summary", action="store_true", help="of the table alone: run nothing")
    asked = parser.parse_args()
    path = asked.folder / TABLE
    if not asked.summary:
        asked.folder.mkdir(parents=True, exist_ok=True)
        sizes = [(axis, size) for axis in asked.axis for size in AXES[axis].sizes]
        plan = [each for each in sizes if asked.largest is None or each[1] <= asked.largest]
        run(plan, path, asked.scratch.resolve(), asked.keep)
    frame = read_results(needed(path, COMMAND))
    enough(len(frame), 1, path, COMMAND)
    text = summarise(frame, COMMAND)
    with replace_when_written(asked.folder / SUMMARY) as part:
        part.write_text(text, encoding="utf-8")
    record(path)
    print(text)  # the command's own output


if __name__ == "__main__":
    main()
