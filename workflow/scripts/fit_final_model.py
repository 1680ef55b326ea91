from pathlib import Path

from balmi.config.settings import Settings
from balmi.data.cohort import read_cohort
from balmi.logs import job
from balmi.prediction.final import write_final

with job(snakemake, f"{snakemake.wildcards.dataset}: final model"):
    cohort = read_cohort(snakemake.input.cohort)
    settings = Settings(**snakemake.params.settings)
    folder = Path(snakemake.output.model).parent
    write_final(snakemake.wildcards.dataset, cohort, settings, folder)
