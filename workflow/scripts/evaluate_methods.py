from balmi.config.settings import PrimaryMetric
from balmi.data.cohort import read_roster
from balmi.data.files import read_table, write_table
from balmi.evaluation.evaluate import evaluation_tables, joined, status_table
from balmi.evaluation.held_out import as_followed
from balmi.evaluation.statistics import split_ratio
from balmi.logs import job
from balmi.tables.contract import TABLES

with job(snakemake, f"{snakemake.wildcards.dataset}: evaluate"):
    cohort = read_roster(snakemake.input.samples)
    followed = PrimaryMetric(snakemake.params.primary_metric)
    predictions = joined(snakemake.input.predictions, "predictions")
    predictions = as_followed(predictions, cohort, followed)
    write_table(predictions, snakemake.output.predictions, "predictions")
    ratio = split_ratio(read_table(snakemake.input.splits, "splits"))
    tables = evaluation_tables(predictions, cohort, ratio, followed)
    for name in ("training", "experts"):
        files = snakemake.input.get(name, [])
        tables[name] = joined(files, name) if files else TABLES[name].empty()
    tables["methods"] = status_table(snakemake.input.status)
    for name, table in tables.items():
        write_table(table, snakemake.output[name], name)
