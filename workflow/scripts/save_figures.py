from pathlib import Path

from balmi.logs import job
from balmi.report.render import ReportInputs, build_figures
from balmi.undrawn import note_undrawn

with job(snakemake.log[0], f"{snakemake.wildcards.dataset}: figures"):
    inputs = ReportInputs(
        dataset=snakemake.wildcards.dataset,
        settings=snakemake.params.settings,
        dataset_settings=snakemake.params.dataset,
        cohort=Path(snakemake.input.cohort),
        tables={name: Path(file) for name, file in snakemake.input.items() if name != "cohort"},
    )
    note_undrawn(snakemake.log[0], build_figures(inputs, Path(snakemake.output[0])))
