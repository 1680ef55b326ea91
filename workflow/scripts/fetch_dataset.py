from pathlib import Path

from balmi.config.catalogue import Download, Wheel
from balmi.data.fetch import fetch_cohort
from balmi.logs import job

with job(snakemake, f"{snakemake.wildcards.dataset}: fetch"):
    fetch_cohort(
        Wheel(**snakemake.params.wheel),
        {name: Download(**download) for name, download in snakemake.params.downloads.items()},
        snakemake.params.label,
        Path(snakemake.output.tables),
    )
