from balmi.config.settings import Attribution, Model, Preprocessing, Training
from balmi.experiments.attribution.job import attribute_job
from balmi.logs import job
from balmi.methods.jobs import TrainingInputs

with job(snakemake.log[0], f"{snakemake.wildcards.dataset}: attribute features"):
    inputs = TrainingInputs(
        cohort=snakemake.input.cohort,
        splits=snakemake.input.splits,
        networks=None,
        information=snakemake.input.get("information"),
        preprocessing=Preprocessing(**snakemake.params.preprocessing),
        model=Model(**snakemake.params.model),
        training=Training(**snakemake.params.training),
        gpus=0,
    )
    trained = snakemake.input.get("model"), snakemake.input.get("ended")
    settings = Attribution(**snakemake.params.attribution)
    attribute_job(inputs, settings, *trained, **dict(snakemake.output))
