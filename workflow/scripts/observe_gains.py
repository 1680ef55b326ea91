from balmi.config.settings import Settings
from balmi.experiments.gains.observe import observe_job
from balmi.logs import job
from balmi.methods.jobs import TrainingInputs

settings = Settings(**snakemake.params.settings).with_gpus(snakemake.resources.gpu)
with job(snakemake.log[0], f"{snakemake.wildcards.dataset}: observed gains"):
    inputs = TrainingInputs.of(snakemake.input, settings)
    observe_job(inputs, **dict(snakemake.output))
