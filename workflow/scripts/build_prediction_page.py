from pathlib import Path

from balmi.logs import job
from balmi.report.predictions.page import build_prediction_page

with job(snakemake, f"{snakemake.wildcards.prediction}: page"):
    build_prediction_page(
        Path(snakemake.input.predictions),
        Path(snakemake.input.about),
        snakemake.params.prediction,
        Path(snakemake.output.html),
        Path(snakemake.output.view),
    )
