"""Note what every process of a run took: Python loads this module where it is on the path.

A script of the workflow is known by the object that Snakemake gives it, the driver by its name.
Other processes note nothing: what a job started is counted with the job. The peak is read from
Linux's /proc: what getrusage gives a process of its own is at least what its parent held.
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import sys
from pathlib import Path

FILE = "BALMI_USAGE"  # the variable that names the file, to which a line a process is appended
DRIVER = "driver"


def _job() -> str | None:
    """Return what this process does: a rule and its wildcards, or the driver."""
    script = getattr(sys.modules["__main__"], "snakemake", None)
    if isinstance(getattr(script, "rule", None), str):
        others = (value for name, value in script.wildcards.items() if name != "dataset")
        return " ".join([script.rule, *others])
    return DRIVER if Path(sys.argv[0]).name == "snakemake" else None


def _own_peak() -> int:
    """Return the largest resident memory of this process in kB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _note() -> None:
    job = _job()
    if job is None:
        return
    used, peaks = [resource.getrusage(resource.RUSAGE_SELF)], [_own_peak()]
    if job != DRIVER:  # the children of the driver are the jobs
        used.append(resource.getrusage(resource.RUSAGE_CHILDREN))
        peaks.append(used[-1].ru_maxrss)
    line = {
        "job": job,
        "user": round(sum(each.ru_utime for each in used), 3),
        "system": round(sum(each.ru_stime for each in used), 3),
        "peak_mb": round(max(peaks) / 1024, 1),
    }
    with Path(os.environ[FILE]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


if FILE in os.environ:
    atexit.register(_note)
