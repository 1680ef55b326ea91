from balmi.config.settings import Method, Settings
from balmi.logs import job
from balmi.methods.jobs import TrainingInputs, train_job

method = Method(snakemake.wildcards.method)
settings = Settings(**snakemake.params.settings).with_gpus(snakemake.resources.gpu)
with job(snakemake, f"{snakemake.wildcards.dataset}: {method}"):
    inputs = TrainingInputs.of(snakemake.input, settings)
    pretrained = snakemake.input.get("pretrained"), snakemake.input.get("pretraining")
    train_job(method, inputs, *pretrained, **dict(snakemake.output))
