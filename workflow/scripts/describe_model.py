from pathlib import Path

from balmi.data.cohort import read_roster
from balmi.data.files import read_table
from balmi.logs import job
from balmi.prediction.described import Tables, describe_model

with job(snakemake, f"{snakemake.wildcards.dataset}: card of the final model"):
    names = ("summary", "reliability", "predictions", "robustness")
    tables = Tables(**{name: read_table(snakemake.input[name], name) for name in names})
    describe_model(
        Path(snakemake.output.card).parent,
        Path(snakemake.output.packed),
        tables,
        read_roster(snakemake.input.samples),
        snakemake.params.primary_metric,
        {"title": snakemake.params.title, "licence": snakemake.params.licence},
    )
