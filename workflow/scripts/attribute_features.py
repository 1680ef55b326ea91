from balmi.config.settings import Settings
from balmi.experiments.attribution.job import attribute_job
from balmi.logs import job
from balmi.methods.jobs import TrainingInputs

settings = Settings(**snakemake.params.settings).with_gpus(0)
with job(snakemake, f"{snakemake.wildcards.dataset}: attribute features"):
    inputs = TrainingInputs.of(snakemake.input, settings)
    trained = snakemake.input.get("model"), snakemake.input.get("ended")
    attribute_job(inputs, *trained, **dict(snakemake.output))
