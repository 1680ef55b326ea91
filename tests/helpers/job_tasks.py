"""The part of Snakemake's `snakemake` that a job asks for."""

from types import SimpleNamespace


def task(log, mem_mb=None):
    """Return what `balmi.logs.job` takes: a rule, its log file, and the memory that it asks for."""
    resources = {"mem_mb": mem_mb} if mem_mb else {}
    return SimpleNamespace(rule="train_network", log=[str(log)], resources=resources)
