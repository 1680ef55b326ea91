"""Snakemake in a process that has loaded it before and copies itself for every plan.

To load Snakemake and its plugins takes as long as a plan, and tests ask for dozens. A run is left
to a process of its own.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path


@cache
def _planner():
    """Return this process's own, which ends with it."""
    command = [sys.executable, __file__]
    planner = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(planner.communicate)
    return planner


def plan(command, folder, environment):
    """Return what a process of Snakemake would have returned; ``command`` begins with Python."""
    with tempfile.TemporaryDirectory() as place:
        said = [Path(place) / name for name in ("stdout", "stderr")]
        asked = {"arguments": command[3:], "folder": str(folder), "environment": environment}
        planner = _planner()
        print(json.dumps(asked | {"said": [*map(str, said)]}), file=planner.stdin, flush=True)
        code = int(planner.stdout.readline())
        return subprocess.CompletedProcess(command, code, *(each.read_text() for each in said))


def _become(asked):
    """Be Snakemake, as ``python -m snakemake`` is."""
    from snakemake.cli import main

    for number, path in zip((1, 2), asked["said"], strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    found = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:1] = [asked["folder"], *found]
    sys.argv = ["snakemake", *asked["arguments"]]
    main()


def _serve():
    from snakemake.cli import get_argument_parser

    get_argument_parser()  # loads the plugins
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _become(json.loads(line))
            sys.exit()
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
