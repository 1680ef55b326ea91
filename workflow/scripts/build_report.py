from pathlib import Path

from balmi.logs import job
from balmi.report.render import ReportInputs, build_report
from balmi.report.sections.provenance.view import commit, versions

with job(snakemake.log[0], f"{snakemake.wildcards.dataset}: report"):
    inputs = ReportInputs(
        dataset=snakemake.wildcards.dataset,
        settings=snakemake.params.settings,
        dataset_settings=snakemake.params.dataset,
        versions=versions(),
        commit=commit(Path(snakemake.scriptdir)),
        title=snakemake.params.title,
        licence=snakemake.params.licence,
        samples=Path(snakemake.input.samples),
        tables={name: Path(file) for name, file in snakemake.input.items() if name != "samples"},
    )
    build_report(inputs, Path(snakemake.output.html), Path(snakemake.output.view))
