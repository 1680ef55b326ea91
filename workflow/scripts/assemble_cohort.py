from pathlib import Path

from balmi.config.settings import Dataset
from balmi.data.assemble import assemble_cohort
from balmi.data.cohort import write_cohort
from balmi.logs import job

name = snakemake.wildcards.dataset
with job(snakemake, f"{name}: assemble"):
    dataset = Dataset(**snakemake.params.dataset)
    fetched = snakemake.input.get("cohort")  # in a module, it lies below the prefix
    dataset = dataset.within(fetched) if fetched else dataset
    cohort = assemble_cohort(name, dataset, snakemake.params.folds)
    write_cohort(cohort, *map(Path, (snakemake.output.cohort, snakemake.output.samples)))
