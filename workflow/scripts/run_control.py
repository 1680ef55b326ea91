import logging

from balmi.config.settings import Evaluation, Method
from balmi.data.cohort import read_cohort
from balmi.data.splits import read_splits
from balmi.experiments.controls.run import run_control
from balmi.logs import Progress, job
from balmi.methods.pipeline import PipelineSettings

control, params = snakemake.wildcards.control, snakemake.params
name = f"{snakemake.wildcards.dataset}: control {control}"
with job(snakemake.log[0], name, shown=logging.ERROR):  # noise without information is no surprise
    cohort = read_cohort(snakemake.input.cohort)
    splits = read_splits(snakemake.input.splits, cohort)
    outcomes = run_control(
        control,
        [Method(name) for name in params.methods],
        cohort,
        [split for split in splits if split.repeat < params.repeats],
        Evaluation(**params.evaluation),
        PipelineSettings.of(params.sections, snakemake.resources.gpu),
        params.seed,
        Progress,
    )
    outcomes.write(control, None, snakemake.output.predictions, snakemake.output.status)
