from pathlib import Path

from balmi.logs import job
from balmi.report.render import build_overview

with job(snakemake.log[0], "overview"):
    build_overview([Path(view) for view in snakemake.input.views], Path(snakemake.output.html))
