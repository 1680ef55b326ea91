"""A run that is cut short, and run again."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

pytestmark = pytest.mark.workflow
RESULTS = "results/simulated"


def test_an_interrupted_run_continues(fresh):
    # Two peers are enough to be cut short.
    config = fresh.folder / "test.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(f"{text}methods: [concat-lr, unimodal-lr]\n", encoding="utf-8")
    target = "results/simulated/predictions.parquet"
    command = [sys.executable, "-m", "snakemake", target, "--cores", "2"]
    running = subprocess.Popen(
        [*command, "--configfile", "test.yaml"],
        cwd=fresh.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # Whoever runs the tests in the background has SIGINT ignored, and so would this process.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    splits = fresh.folder / RESULTS / "splits.parquet"
    deadline = time.monotonic() + 120
    while not splits.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(running.pid, signal.SIGINT)
    assert running.wait(timeout=60) != 0
    written = (fresh.folder / RESULTS / "cohort.h5mu").stat().st_mtime_ns
    assert not (fresh.folder / target).exists()
    assert fresh.snakemake(target).returncode == 0
    assert (fresh.folder / RESULTS / "cohort.h5mu").stat().st_mtime_ns == written
    assert not list((fresh.folder / "results").rglob(".part*"))
