from pathlib import Path

from balmi.logs import job
from balmi.prediction.refusal import or_refuse
from balmi.report.predictions.page import build_prediction_page, build_refused_page

name, settings = snakemake.wildcards.prediction, snakemake.params.prediction
with job(snakemake, f"{name}: page"):
    pages = Path(snakemake.output.html), Path(snakemake.output.view)
    inputs = Path(snakemake.input.predictions), Path(snakemake.input.about)
    or_refuse(
        Path(snakemake.log[0]),
        snakemake.rule,
        lambda: build_prediction_page(*inputs, settings, *pages),
        lambda refusal: build_refused_page(name, refusal.of_page(), settings, *pages),
    )
