from pathlib import Path

from balmi.logs import job
from balmi.report.render import ReportInputs, build_figures

with job(snakemake.log[0], f"{snakemake.wildcards.dataset}: figures"):
    inputs = ReportInputs(
        dataset=snakemake.wildcards.dataset,
        settings=snakemake.params.settings,
        dataset_settings=snakemake.params.dataset,
        samples=Path(snakemake.input.samples),
        tables={name: Path(file) for name, file in snakemake.input.items() if name != "samples"},
    )
    build_figures(inputs, Path(snakemake.output[0]))
