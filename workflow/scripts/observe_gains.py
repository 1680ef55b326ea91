from balmi.config.settings import Settings
from balmi.experiments.gains.observe import observe_job
from balmi.logs import job
from balmi.methods.jobs import TrainingInputs

with job(snakemake, f"{snakemake.wildcards.dataset}: observed gains"):
    settings = Settings(**snakemake.params.settings).with_gpus(snakemake.resources.gpu)
    inputs = TrainingInputs.of(snakemake.input, settings)
    observe_job(inputs, **dict(snakemake.output))
