from balmi.data.files import read_table, write_table
from balmi.evaluation.complementarity import complementarity_table, margins_of
from balmi.evaluation.statistics import split_ratio
from balmi.logs import job

with job(snakemake.log[0], f"{snakemake.wildcards.dataset}: gains of distillation"):
    splits = read_table(snakemake.input.splits)
    tested = splits[splits["part"] == "test"]
    share = snakemake.params.training_share
    fraction = split_ratio(tested, splits["sample"].nunique(), share)
    margins = margins_of(read_table(snakemake.input.information))
    gains = read_table(snakemake.input.gains)
    table = complementarity_table(margins, gains, fraction)
    write_table(table, snakemake.output.complementarity)
