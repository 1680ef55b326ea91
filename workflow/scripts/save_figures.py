from pathlib import Path

from balmi.logs import job
from balmi.report.render import ReportInputs, build_figures

with job(snakemake.log[0], f"{snakemake.wildcards.dataset}: figures"):
    inputs = ReportInputs(
        dataset=snakemake.wildcards.dataset,
        settings=snakemake.params.settings,
        dataset_settings=snakemake.params.dataset,
        **{name: Path(file) for name, file in snakemake.input.items()},
    )
    build_figures(inputs, Path(snakemake.output[0]))
