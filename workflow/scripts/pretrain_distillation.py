from balmi.config.settings import Distillation, Model, Preprocessing, Training
from balmi.logs import job
from balmi.methods.jobs import TrainingInputs, pretrain_job

with job(snakemake.log[0], f"{snakemake.wildcards.dataset}: pretraining"):
    inputs = TrainingInputs(
        cohort=snakemake.input.cohort,
        splits=snakemake.input.splits,
        networks=snakemake.input.get("networks") or None,
        information=snakemake.input.information,
        preprocessing=Preprocessing(**snakemake.params.preprocessing),
        model=Model(**snakemake.params.model),
        training=Training(**snakemake.params.training),
        gpus=snakemake.resources.gpu,
    )
    pretrain_job(inputs, Distillation(**snakemake.params.distillation), **dict(snakemake.output))
