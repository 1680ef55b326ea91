from pathlib import Path

from balmi.config.settings import Design, Simulation
from balmi.data.cohort import write_tables
from balmi.data.simulate import simulate_cohort
from balmi.logs import job

with job(snakemake, f"{snakemake.wildcards.dataset}: simulate"):
    design = Design(snakemake.params.design)
    cohort = simulate_cohort(Simulation(**snakemake.params.simulation), design)
    write_tables(cohort.samples, cohort.modalities, Path(snakemake.output.tables))
