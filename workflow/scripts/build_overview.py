from pathlib import Path

from balmi.logs import job
from balmi.report.overview.page import build_overview

with job(snakemake, "overview"):
    views = map(Path, snakemake.input.views)
    reports = {view: str(snakemake.report_href(view.with_name("report.html"))) for view in views}
    build_overview(reports, Path(snakemake.output.html))
