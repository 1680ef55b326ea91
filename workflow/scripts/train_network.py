from balmi.config.settings import Method, Model, Preprocessing, Training
from balmi.logs import job
from balmi.methods.jobs import TrainingInputs, train_job

method = Method(snakemake.wildcards.method)
with job(snakemake.log[0], f"{snakemake.wildcards.dataset}: {method}"):
    inputs = TrainingInputs(
        cohort=snakemake.input.cohort,
        splits=snakemake.input.splits,
        networks=snakemake.input.get("networks") or None,
        information=snakemake.input.get("information"),
        preprocessing=Preprocessing(**snakemake.params.preprocessing),
        model=Model(**snakemake.params.model),
        training=Training(**snakemake.params.training),
        gpus=snakemake.resources.gpu,
    )
    pretrained = snakemake.input.get("pretrained"), snakemake.input.get("pretraining")
    train_job(method, inputs, *pretrained, **dict(snakemake.output))
