from balmi.config.settings import Settings
from balmi.logs import job
from balmi.methods.jobs import TrainingInputs, pretrain_job

settings = Settings(**snakemake.params.settings).with_gpus(snakemake.resources.gpu)
with job(snakemake, f"{snakemake.wildcards.dataset}: pretraining"):
    inputs = TrainingInputs.of(snakemake.input, settings)
    pretrain_job(inputs, **dict(snakemake.output))
