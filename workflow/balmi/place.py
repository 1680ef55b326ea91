"""Where jobs are going to run, looked at before any of them does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from balmi.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = 10  # what SLURM's own clients wait for a controller
TORCH_SECONDS = 120
LIBRARY = Path(__file__).parents[1]
NO_GPU = 3  # exit status
JOBS = re.compile(r"(?:^| )(?P<key>-j|--jobs)[ =]?(?P<count>\d+)(?= |$)")
CORES = re.compile(r"(?:^| )(?:-c ?\d|-c(?= |$)|--cores)")
ASK_TORCH = f"""
import sys
sys.path.insert(0, {str(LIBRARY)!r})
from balmi.errors import UserError
from balmi.networks.device import choose_device
try:
    choose_device(1)
except UserError as error:
    print(error)
    sys.exit({NO_GPU})
"""


def _said(*command: str) -> str | None:
    """Return what a command prints, or None where it does not answer."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def slurm_keeps_accounts() -> bool:
    """Return whether SLURM keeps accounts, without which ``sacct`` knows no job.

    Where its controller does not answer, it is taken to: jobs cannot be sent off then anyway.
    """
    for line in (_said("scontrol", "show", "config") or "").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "AccountingStorageType":
            return value.strip() not in {"accounting_storage/none", "(null)", ""}
    return True


def jobs_problem(executor: str, arguments: Sequence[str], cores: int) -> str | None:
    """Return why a number of jobs would count nothing, or None where it counts.

    On one machine Snakemake takes ``-j`` for ``--cores`` only where no profile has said these.

    Parameters
    ----------
    executor
        Snakemake's name of what runs the jobs.
    arguments
        What the command line holds behind the program's name.
    cores
        The cores that will be used.
    """
    line = " ".join(arguments)
    asked = JOBS.search(line)
    if executor != "local" or asked is None or CORES.search(line) or int(asked["count"]) == cores:
        return None
    found = f"{asked['count']} jobs, which count nothing: a profile has set {cores} cores"
    return str(UserError(Problem(asked["key"], found, f"--cores {asked['count']}")))


def gpu_problem(executor: str) -> str | None:
    """Return why no job will get the GPU that it asks for, or None where one may.

    Parameters
    ----------
    executor
        Snakemake's name of what runs the jobs. On this machine torch is asked, in a process of its
        own, since it takes seconds to load; jobs on other machines say it themselves unless SLURM
        knows beforehand.
    """
    return {"local": _local_gpu_problem, "slurm": _slurm_gpu_problem}.get(executor, lambda: None)()


def _slurm_gpu_problem() -> str | None:
    offered = _said("sinfo", "--noheader", "--format=%G")
    if offered is None or "gpu" in offered:
        return None
    found = "1 GPU asked for, but no machine of this SLURM offers one (sinfo --format=%G)"
    return str(UserError(Problem("resources.gpu", found, "0 for the CPU, or a cluster with GPUs")))


def _local_gpu_problem() -> str | None:
    command = [sys.executable, "-c", ASK_TORCH]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TORCH_SECONDS)
    return done.stdout.strip() if done.returncode == NO_GPU else None
