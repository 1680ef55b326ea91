from pathlib import Path

from balmi.again import UNDRAWN
from balmi.logs import job
from balmi.report.render import ReportInputs, build_report
from balmi.report.sections.provenance.view import commit, versions

model = snakemake.input.get("model")
with job(snakemake, f"{snakemake.wildcards.dataset}: report"):
    inputs = ReportInputs(
        dataset=snakemake.wildcards.dataset,
        settings=snakemake.params.settings,
        dataset_settings=snakemake.params.dataset,
        versions=versions(),
        commit=commit(Path(snakemake.scriptdir)),
        title=snakemake.params.title,
        licence=snakemake.params.licence,
        samples=Path(snakemake.input.roster),
        tables={name: Path(snakemake.input[name]) for name in snakemake.params.tables},
        model=Path(model) if model else None,
    )
    files = {name: Path(file) for name, file in snakemake.output.items()}
    UNDRAWN.write(snakemake.log[0], build_report(inputs, **files))
