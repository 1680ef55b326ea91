import logging

from balmi.config.settings import Evaluation, Method
from balmi.data.cohort import read_cohort
from balmi.experiments.shares.run import run_share
from balmi.logs import Progress, job
from balmi.methods.pipeline import PipelineSettings

share, params = float(snakemake.wildcards.share), snakemake.params
name = f"{snakemake.wildcards.dataset}: share {share:g}"
with job(snakemake.log[0], name, shown=logging.ERROR):  # too few samples are no surprise here
    outcomes = run_share(
        share,
        [Method(name) for name in params.methods],
        read_cohort(snakemake.input.cohort),
        Evaluation(**params.evaluation),
        params.repeats,
        PipelineSettings.of(params.sections, snakemake.resources.gpu),
        Progress,
    )
    outcomes.write("share", share, snakemake.output.predictions, snakemake.output.status)
