from pathlib import Path

from balmi.logs import job
from balmi.prediction.refusal import accept

with job(snakemake, f"{snakemake.wildcards.prediction}"):
    accept(Path(snakemake.input.concluded))
