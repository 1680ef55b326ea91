import logging

from balmi.config.settings import Method, Settings
from balmi.data.cohort import read_cohort
from balmi.experiments.shares.run import run_share
from balmi.logs import Progress, job

share, params = float(snakemake.wildcards.share), snakemake.params
methods = [Method(name) for name in params.methods]
settings = Settings(**params.settings).with_gpus(snakemake.resources.gpu)
name = f"{snakemake.wildcards.dataset}: share {share:g}"
with job(snakemake, name, shown=logging.ERROR):  # too few samples are no surprise here
    cohort = read_cohort(snakemake.input.cohort)
    outcomes = run_share(share, methods, cohort, settings, Progress)
    outcomes.write("share", share, snakemake.output.predictions, snakemake.output.status)
