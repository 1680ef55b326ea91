from balmi.config.settings import Evaluation
from balmi.data.cohort import read_roster
from balmi.data.files import write_table
from balmi.data.splits import make_splits
from balmi.logs import job

with job(snakemake, f"{snakemake.wildcards.dataset}: split"):
    cohort = read_roster(snakemake.input.samples)
    splits = make_splits(cohort, Evaluation(**snakemake.params.evaluation))
    write_table(splits, snakemake.output.splits, "splits")
