from balmi.config.settings import Distillation, Model, Preprocessing, Training
from balmi.experiments.gains.observe import observe_job
from balmi.logs import job
from balmi.methods.jobs import TrainingInputs

with job(snakemake.log[0], f"{snakemake.wildcards.dataset}: observed gains"):
    inputs = TrainingInputs(
        cohort=snakemake.input.cohort,
        splits=snakemake.input.splits,
        networks=snakemake.input.get("networks") or None,
        information=None,
        preprocessing=Preprocessing(**snakemake.params.preprocessing),
        model=Model(**snakemake.params.model),
        training=Training(**snakemake.params.training),
        gpus=snakemake.resources.gpu,
    )
    observe_job(inputs, Distillation(**snakemake.params.distillation), **dict(snakemake.output))
