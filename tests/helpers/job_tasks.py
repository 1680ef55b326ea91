"""The part of Snakemake's `snakemake` that a job asks for."""

from types import SimpleNamespace


def task(log, mem_mb=None):
    """Return what `balmi.logs.job` takes: a log file, and the memory that the rule asks for."""
    return SimpleNamespace(log=[str(log)], resources={"mem_mb": mem_mb} if mem_mb else {})
