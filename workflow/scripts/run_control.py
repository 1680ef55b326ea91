import logging

from balmi.config.settings import Method, Settings
from balmi.data.cohort import read_cohort
from balmi.data.splits import read_splits
from balmi.experiments.controls.run import run_control
from balmi.logs import Progress, job

control, params = snakemake.wildcards.control, snakemake.params
methods = [Method(name) for name in params.methods]
settings = Settings(**params.settings).with_gpus(snakemake.resources.gpu)
name = f"{snakemake.wildcards.dataset}: control {control}"
with job(snakemake, name, shown=logging.ERROR):  # noise without information is no surprise
    cohort = read_cohort(snakemake.input.cohort)
    splits = read_splits(snakemake.input.splits, cohort)
    outcomes = run_control(control, methods, cohort, splits, settings, Progress)
    outcomes.write(control, None, snakemake.output.predictions, snakemake.output.status)
