from pathlib import Path

from balmi.config.settings import PrimaryMetric
from balmi.data.cohort import read_roster
from balmi.data.files import read_table
from balmi.evaluation.evaluate import joined
from balmi.experiments.probes.alterations import empty_probes
from balmi.experiments.robustness import dropped_table
from balmi.logs import job
from balmi.prediction.described import Tables, describe_model

inputs, params = snakemake.input, snakemake.params
with job(snakemake, f"{snakemake.wildcards.dataset}: card of the final model"):
    cohort, followed = read_roster(inputs.samples), PrimaryMetric(params.primary_metric)
    names = ("summary", "reliability", "predictions", "splits")
    tables = {name: read_table(inputs[name], name) for name in names}
    probes = joined(inputs.probes, "probes") if inputs.probes else empty_probes(cohort.classes)
    lost = dropped_table(cohort, tables["predictions"], probes, tables.pop("splits"), followed)
    describe_model(
        Path(snakemake.output.card).parent,
        Path(snakemake.output.packed),
        Tables(**tables, robustness=lost),
        cohort,
        followed,
        {"title": params.title, "licence": params.licence},
    )
